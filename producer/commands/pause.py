"""`paragone pause`: nothing more of a campaign, or of one of its stages, is claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from db.campaigns import find_campaign
from db.jobs.control import set_paused
from producer.campaign_checks import check_not_cancelled, scope
from producer.commands.context import campaign_option, console, emit_json, json_option, pass_runtime
from producer.commands.selecting import stage_option

if TYPE_CHECKING:
    from db.enums import Stage
    from db.runtime import Runtime


@click.command
@campaign_option
@stage_option
@json_option
@pass_runtime
def pause(runtime: Runtime, *, campaign: str | None, stage: Stage | None, as_json: bool) -> None:
    """Claim nothing more; what is claimed already is finished."""
    chosen = find_campaign(runtime.database, campaign)
    check_not_cancelled(chosen)
    set_paused(runtime.database, chosen.id, stage, paused=True)
    if as_json:
        emit_json({"campaign": chosen.name, "stage": stage, "paused": True})
    else:
        console().print(f"paused {scope(chosen, stage)}: what is claimed is finished, `paragone resume` goes on", soft_wrap=True)
