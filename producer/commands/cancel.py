"""`paragone cancel`: every job of a campaign, or of one of its stages, that is not done or failed ends for good."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from db.campaigns import find_campaign
from producer.campaign_checks import describe_scope
from producer.commands.context import campaign_option, console, emit_json, json_option, pass_runtime
from producer.commands.filter_options import stage_option
from producer.steering import CancelResult, cancel_campaign
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from db.enums import Stage
    from db.runtime import Runtime


@click.command(short_help="Cancel for good what is not done or failed.")
@campaign_option
@stage_option
@click.option("--yes", is_flag=True, help="Do not ask. Without a terminal nothing is asked.")
@json_option
@wait_option(Service.DATABASE, needed=Service.DATABASE)
@pass_runtime
def cancel(runtime: Runtime, *, campaign: str | None, stage: Stage | None, yes: bool, as_json: bool) -> None:
    """Cancel every job that is not done or failed, running ones too.

    Results stay. A cancelled job cannot be made ready again.
    """
    name = find_campaign(runtime.database, campaign).name
    scope = describe_scope(name, stage)
    if not yes and _on_terminal():
        click.confirm(f"Cancel what is not done of {scope}? This cannot be undone", abort=True, err=True)
    result = cancel_campaign(runtime, name, stage)
    if as_json:
        emit_json(result)
    else:
        console().print(_told(result, scope), soft_wrap=True)


def _told(result: CancelResult, scope: str) -> str:
    if not result.jobs:
        return f"nothing to cancel: every job of {scope} has ended; the campaign stays {result.state}"
    return f"cancelled {result.jobs:,} {'job' if result.jobs == 1 else 'jobs'} of {scope}"


def _on_terminal() -> bool:
    return sys.stdin.isatty()
