"""`paragone pause`: nothing more of a campaign, or of one of its stages, is claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from producer.campaign_checks import scope
from producer.commands.context import campaign_option, console, emit_json, json_option, pass_runtime
from producer.commands.selecting import stage_option
from producer.steering import pause_campaign

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
    result = pause_campaign(runtime, campaign, stage)
    if as_json:
        emit_json(result)
    else:
        console().print(f"paused {scope(result.campaign, stage)}: what is claimed is finished, `paragone resume` goes on", soft_wrap=True)
