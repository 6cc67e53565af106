"""`paragone cancel`: what is not done or failed of a campaign, or of one of its stages, is taken out for good."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from db.campaigns import find_campaign
from db.jobs.control import cancel as cancel_jobs
from producer.campaign_checks import scope
from producer.commands.context import campaign_option, console, emit_json, json_option, pass_runtime
from producer.commands.selecting import stage_option

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
    chosen = find_campaign(runtime.database, campaign)
    if not yes and _on_terminal():
        click.confirm(f"Cancel what is not done of {scope(chosen, stage)}? It cannot be undone", abort=True, err=True)
    jobs = cancel_jobs(runtime.database, chosen.id, stage)
    if as_json:
        emit_json({"campaign": chosen.name, "stage": stage, "jobs": jobs})
    else:
        console().print(f"cancelled {jobs:,} {'job' if jobs == 1 else 'jobs'} of {scope(chosen, stage)}", soft_wrap=True)


def _on_terminal() -> bool:
    return sys.stdin.isatty()
