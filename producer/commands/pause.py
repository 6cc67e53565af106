"""`paragone pause`: nothing more of a campaign, or of one of its stages, is claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from db.campaigns import find_campaign
from db.life.control import set_paused
from producer.commands.context import campaign_option, console, emit_json, json_option, pass_house
from producer.commands.selecting import stage_option
from producer.standing import check_not_cancelled, scope

if TYPE_CHECKING:
    from db.house import House
    from db.vocabulary import Stage


@click.command
@campaign_option
@stage_option
@json_option
@pass_house
def pause(house: House, *, campaign: str | None, stage: Stage | None, as_json: bool) -> None:
    """Claim nothing more; what is claimed already is finished."""
    chosen = find_campaign(house.engine, campaign)
    check_not_cancelled(chosen)
    set_paused(house.engine, chosen.id, stage, paused=True)
    if as_json:
        emit_json({"campaign": chosen.name, "stage": stage, "paused": True})
    else:
        console().print(f"paused {scope(chosen, stage)}: what is claimed is finished, `paragone resume` goes on", soft_wrap=True)
