"""`paragone resume`: a paused campaign, or one of its stages, goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from db.campaigns import find_campaign
from db.life.control import set_paused
from producer.commands.context import campaign_option, console, emit_json, json_option, pass_house
from producer.commands.selecting import stage_option
from producer.ringing import ring_for_ready
from producer.standing import check_not_cancelled, scope

if TYPE_CHECKING:
    from db.house import House
    from db.vocabulary import Stage


@click.command
@campaign_option
@stage_option
@json_option
@pass_house
def resume(house: House, *, campaign: str | None, stage: Stage | None, as_json: bool) -> None:
    """Let workers claim again what was paused."""
    chosen = find_campaign(house.engine, campaign)
    check_not_cancelled(chosen)
    set_paused(house.engine, chosen.id, stage, paused=False)
    ring_for_ready(house)
    if as_json:
        emit_json({"campaign": chosen.name, "stage": stage, "paused": False})
    else:
        console().print(f"resumed {scope(chosen, stage)}", soft_wrap=True)
