"""`paragone resume`: a paused campaign, or one of its stages, goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from db.campaigns import find_campaign
from db.jobs.control import set_paused
from producer.campaign_checks import check_not_cancelled, scope
from producer.commands.context import campaign_option, console, emit_json, json_option, pass_runtime
from producer.commands.selecting import stage_option
from producer.notify import notify_ready

if TYPE_CHECKING:
    from db.enums import Stage
    from db.runtime import Runtime


@click.command
@campaign_option
@stage_option
@json_option
@pass_runtime
def resume(runtime: Runtime, *, campaign: str | None, stage: Stage | None, as_json: bool) -> None:
    """Let workers claim again what was paused."""
    chosen = find_campaign(runtime.database, campaign)
    check_not_cancelled(chosen)
    set_paused(runtime.database, chosen.id, stage, paused=False)
    notify_ready(runtime)
    if as_json:
        emit_json({"campaign": chosen.name, "stage": stage, "paused": False})
    else:
        console().print(f"resumed {scope(chosen, stage)}", soft_wrap=True)
