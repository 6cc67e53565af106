"""`paragone requeue`: failed jobs again, or done ones to be superseded, chosen by filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from db.campaigns import find_campaign
from db.enums import FailureKind, Stage
from db.jobs.requeue import JobFilter
from db.jobs.requeue import requeue as requeue_jobs
from producer.artworks import check_styles, find_artwork
from producer.commands.context import console, emit_json, json_option, pass_runtime
from producer.commands.selecting import kind_option, stage_option
from producer.durations import duration_callback
from producer.errors import WrongUse
from producer.notify import notify_ready

if TYPE_CHECKING:
    from db.runtime import Runtime


class Asked(TypedDict):
    """The options that choose jobs, as typed."""

    campaign: str | None
    stage: Stage | None
    kind: FailureKind | None
    error: str | None
    style: str | None
    artwork: str | None
    older_than: float | None
    all_failed: bool
    done: bool


#: Options that narrow the choice; `--campaign` alone is no choice, it would mean everything that failed.
_NARROWING = ("stage", "kind", "error", "style", "artwork", "older_than")


@click.command
@click.option("--campaign", metavar="NAME", help="Only this campaign.  [default: all]")
@stage_option
@kind_option
@click.option("--error", metavar="TEXT", help="Only failures whose error holds this text.")
@click.option("--style", metavar="S", help="Only artworks of this style.")
@click.option("--artwork", metavar="ID", help="Only this artwork, by its id or its key.")
@click.option("--older-than", metavar="AGE", callback=duration_callback, help="Only jobs that ended longer ago than 30s, 10m, 2h, 3d.")
@click.option("--all-failed", is_flag=True, help="Every failed job.")
@click.option("--done", is_flag=True, help="Done jobs instead of failed ones: new results supersede the old.")
@click.option("--new-seed", is_flag=True, help="Repaint with another seed.")
@click.option("--dry-run", is_flag=True, help="Count only.")
@json_option
@pass_runtime
def requeue(runtime: Runtime, *, new_seed: bool, dry_run: bool, as_json: bool, **asked: Unpack[Asked]) -> None:
    """Make failed jobs ready again, or done ones to be made anew.

    A done job's result stays current until the new one is there; then what was made from it is made again too.
    """
    _check(asked, new_seed=new_seed)
    jobs = requeue_jobs(runtime.database, _filter(runtime, asked), new_seed=new_seed, dry_run=dry_run)
    if jobs and not dry_run:
        notify_ready(runtime)
    if as_json:
        emit_json({"jobs": jobs, "dry_run": dry_run})
    else:
        console().print(f"{jobs:,} {'job' if jobs == 1 else 'jobs'} {'would be requeued' if dry_run else 'requeued'}")


def _filter(runtime: Runtime, asked: Asked) -> JobFilter:
    if asked["style"] is not None:
        check_styles(runtime.database, [asked["style"]])
    return JobFilter(
        campaign_id=find_campaign(runtime.database, asked["campaign"]).id if asked["campaign"] else None,
        stage=asked["stage"],
        kind=asked["kind"],
        error=asked["error"],
        style=asked["style"],
        artwork_id=find_artwork(runtime.database, asked["artwork"]) if asked["artwork"] else None,
        older_than=asked["older_than"],
        done=asked["done"],
    )


def _check(asked: Asked, *, new_seed: bool) -> None:
    """Raise `WrongUse` for options that do not fit together."""
    narrowed = any(asked[name] is not None for name in _NARROWING)  # type: ignore[literal-required]
    if not narrowed and not asked["all_failed"] and not asked["done"]:
        raise WrongUse("say which jobs: --stage, --kind, --error, --style, --artwork or --older-than, or --all-failed for every failed one")
    if asked["done"] and asked["all_failed"]:
        raise WrongUse("--done chooses done jobs, --all-failed failed ones: requeue them one after the other")
    if asked["done"] and (asked["kind"] is not None or asked["error"] is not None):
        raise WrongUse("--kind and --error belong to failed jobs: leave them out with --done")
    if new_seed and asked["stage"] is Stage.RECAPTION:
        raise WrongUse("--new-seed changes the repaint, which a requeued recaption does not make: use --stage generate")
