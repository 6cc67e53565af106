"""`paragone cancel`: what is not done or failed of a campaign, or of one of its stages, is taken out for good."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from db.campaigns import find_campaign
from producer.campaign_checks import scope
from producer.commands.context import campaign_option, console, emit_json, json_option, pass_runtime
from producer.commands.selecting import stage_option
from producer.steering import cancel_campaign

if TYPE_CHECKING:
    from db.enums import Stage
    from db.runtime import Runtime


@click.command
@campaign_option
@stage_option
@click.option("--yes", is_flag=True, help="Do not ask; without a terminal nothing is asked.")
@json_option
@pass_runtime
def cancel(runtime: Runtime, *, campaign: str | None, stage: Stage | None, yes: bool, as_json: bool) -> None:
    """Cancel every job that is not done or failed, running ones too; what is done stays."""
    name = find_campaign(runtime.database, campaign).name
    if not yes and _on_terminal():
        click.confirm(f"Cancel what is not done of {scope(name, stage)}? It cannot be undone", abort=True, err=True)
    result = cancel_campaign(runtime, name, stage)
    if as_json:
        emit_json(result)
    else:
        jobs = f"{result.jobs:,} {'job' if result.jobs == 1 else 'jobs'}"
        console().print(f"cancelled {jobs} of {scope(name, stage)}", soft_wrap=True)


def _on_terminal() -> bool:
    return sys.stdin.isatty()
