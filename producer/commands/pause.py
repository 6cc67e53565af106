"""`paragone pause`: no further job of a campaign, or of one of its stages, is claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from producer.campaign_checks import describe_scope
from producer.commands.context import campaign_option, console, emit_json, json_option, pass_runtime
from producer.commands.filter_options import stage_option
from producer.steering import pause_campaign
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from db.enums import Stage
    from db.runtime import Runtime


@click.command(short_help="Claim no further jobs; running ones finish.")
@campaign_option
@stage_option
@json_option
@wait_option(Service.DATABASE, needed=Service.DATABASE)
@pass_runtime
def pause(runtime: Runtime, *, campaign: str | None, stage: Stage | None, as_json: bool) -> None:
    """Claim no further jobs; those that are claimed already are finished."""
    result = pause_campaign(runtime, campaign, stage)
    if as_json:
        emit_json(result)
    else:
        scope = describe_scope(result.campaign, stage)
        console().print(f"paused {scope}: claimed jobs are finished, `paragone resume` continues", soft_wrap=True)
