"""`paragone requeue`: make failed jobs ready again, or supersede the results of done ones, chosen by filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from producer.commands.context import console, emit_json, json_option, pass_runtime
from producer.commands.filter_options import kind_option, stage_option, where_option
from producer.durations import duration_callback
from producer.requeue import RepaintRequeueResult, RequeueOptions, requeue_chosen
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from db.runtime import Runtime


@click.command(short_help="Make failed jobs ready again, or redo done ones.")
@click.option("--campaign", metavar="NAME", help="Only this campaign.  [default: all]")
@stage_option
@kind_option
@click.option("--error", metavar="TEXT", help="Only failures whose error contains this text.")
@click.option("--style", metavar="S", help="Only artworks of this style.")
@click.option("--artwork", metavar="ID", help="Only this artwork, by its id or its key.")
@click.option("--older-than", metavar="AGE", callback=duration_callback, help="Only jobs that ended longer ago than 30s, 10m, 2h, 3d.")
@click.option("--all-failed", is_flag=True, help="Every failed job.")
@click.option("--done", is_flag=True, help="Done jobs instead of failed ones: new results supersede the old ones.")
@where_option
@click.option("--new-seed", is_flag=True, help="Repaint with another seed.")
@click.option("--dry-run", is_flag=True, help="Count only.")
@json_option
@wait_option(Service.DATABASE, Service.BROKER, needed=Service.DATABASE)
@pass_runtime
def requeue(runtime: Runtime, /, *, new_seed: bool, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Make failed jobs ready again, or redo done ones.

    Fix the cause of a failure first.

    The result of a done job stays current until the new one is there; then what was made from it is redone too.

    --where chooses among repaints that `paragone score` has measured, and implies --done and --stage generate. The same seed gives the same
    picture: add --new-seed.
    """
    result = requeue_chosen(runtime, RequeueOptions(**options), new_seed=new_seed, dry_run=dry_run)
    if as_json:
        emit_json(result)
    else:
        jobs = f"{result.jobs:,} {'job' if result.jobs == 1 else 'jobs'}"
        console().print(f"{jobs} {'would be requeued' if dry_run else 'requeued'}")
        if result.cancelled:
            console().print(f"left out: {result.cancelled:,} of cancelled campaigns, which is final", soft_wrap=True)
        if isinstance(result, RepaintRequeueResult) and result.unscored:
            repaints = f"{result.unscored:,} {'repaint' if result.unscored == 1 else 'repaints'}"
            console().print(f"left out: {repaints} without the score, run `paragone score` first", soft_wrap=True)
        if options["where"] is not None and result.jobs and not new_seed:
            console().print("the same seed gives the same picture: add --new-seed for another", soft_wrap=True)
        if result.imported:
            console().print(f"left out: {result.imported:,} imported ones: `paragone import-results` replaces them", soft_wrap=True)
