"""`paragone resume`: a paused campaign, or one of its stages, continues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from producer.campaign_checks import describe_scope
from producer.commands.context import campaign_option, console, emit_json, json_option, pass_runtime
from producer.commands.filter_options import stage_option
from producer.steering import resume_campaign
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from db.enums import Stage
    from db.runtime import Runtime


@click.command(short_help="Continue a paused campaign or stage.")
@campaign_option
@stage_option
@json_option
@wait_option(Service.DATABASE, Service.BROKER, needed=Service.DATABASE)
@pass_runtime
def resume(runtime: Runtime, *, campaign: str | None, stage: Stage | None, as_json: bool) -> None:
    """Let workers claim the jobs of a paused campaign or stage again."""
    result = resume_campaign(runtime, campaign, stage)
    if as_json:
        emit_json(result)
    else:
        console().print(f"resumed {describe_scope(result.campaign, stage)}", soft_wrap=True)
