"""Requeueing what an operator selects: failed jobs become ready again, results of done ones are superseded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from db.campaigns import check_not_cancelled, find_campaign
from db.enums import FailureKind, Stage
from db.jobs.requeue import JobFilter, count_requeueable, requeue
from db.quality import check_values, lacking, where
from producer.artworks import check_styles, find_artwork
from producer.errors import WrongUse
from producer.notify import notify_ready

if TYPE_CHECKING:
    from db.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class RequeueOptions:
    """Which jobs to requeue; a job must match every given option."""

    #: Of all campaigns, if not given.
    campaign: str | None = None
    stage: Stage | None = None
    kind: FailureKind | None = None
    #: Part of the error's text.
    error: str | None = None
    style: str | None = None
    #: An artwork's id or key.
    artwork: str | None = None
    #: Seconds since the job ended.
    older_than: float | None = None
    all_failed: bool = False
    #: Done jobs instead of failed ones.
    done: bool = False
    #: A filter over current repaints, such as "similarity > 0.97": those that fit are made again, so it means done `generate` jobs.
    where: str | None = None


@dataclass(frozen=True, kw_only=True)
class RequeueResult:
    """How many jobs were requeued, or in a dry run would be."""

    jobs: int
    #: Chosen jobs of cancelled campaigns, which stay as they are.
    cancelled: int
    dry_run: bool
    #: Chosen jobs whose results were imported: another import replaces them, no worker.
    imported: int = 0


@dataclass(frozen=True, kw_only=True)
class RepaintRequeueResult(RequeueResult):
    """The same with `where`."""

    #: Repaints that the other options choose and that lack a score which the filter names: they are never chosen.
    unscored: int


#: Options that narrow the selection; a campaign alone is not enough, it would select everything that failed.
_NARROWING = ("stage", "kind", "error", "style", "artwork", "older_than", "where")


def requeue_chosen(runtime: Runtime, options: RequeueOptions, *, new_seed: bool = False, dry_run: bool = False) -> RequeueResult:
    """Make the selected jobs ready again and wake the workers.

    The result of a done job stays current until the new one is there; then what was made from it is redone too.

    Raises:
        WrongUse: nothing is selected, or options do not fit together.
        BadFilter: `where` cannot be read, or names a level or style that nothing has.
        UnknownCampaign, UnknownStyle, UnknownArtwork: there is none of that name.
        CampaignCancelled: the campaign was cancelled, which is final.
    """
    _check(options, new_seed=new_seed)
    chosen = _filter(runtime, options)
    counted = count_requeueable(runtime.database, chosen)
    unscored = None if options.where is None else _count_unscored(runtime, chosen, options.where)
    jobs = counted.total if dry_run else requeue(runtime.database, chosen, new_seed=new_seed)
    if jobs and not dry_run:
        notify_ready(runtime)
    facts: dict[str, Any] = {"jobs": jobs, "cancelled": counted.cancelled, "imported": counted.imported, "dry_run": dry_run}
    return RequeueResult(**facts) if unscored is None else RepaintRequeueResult(**facts, unscored=unscored)


def _count_unscored(runtime: Runtime, chosen: JobFilter, text: str) -> int:
    return count_requeueable(runtime.database, replace(chosen, repaint=lacking(text))).total


def _filter(runtime: Runtime, options: RequeueOptions) -> JobFilter:
    if options.style is not None:
        check_styles(runtime.database, [options.style])
    campaign = find_campaign(runtime.database, options.campaign) if options.campaign else None
    if campaign is not None:
        check_not_cancelled(campaign)
    if options.where is not None:
        check_values(runtime.database, options.where)
    return JobFilter(
        campaign_id=None if campaign is None else campaign.id,
        stage=options.stage if options.where is None else Stage.GENERATE,
        kind=options.kind,
        error=options.error,
        style=options.style,
        artwork_id=find_artwork(runtime.database, options.artwork) if options.artwork else None,
        older_than=options.older_than,
        done=options.done or options.where is not None,
        repaint=None if options.where is None else where(options.where),
    )


def _check(options: RequeueOptions, *, new_seed: bool) -> None:
    """Raise `WrongUse` for options that do not fit together."""
    narrowed = any(getattr(options, name) is not None for name in _NARROWING)
    if not narrowed and not options.all_failed and not options.done:
        raise WrongUse(
            "say which jobs: --stage, --kind, --error, --style, --artwork, --older-than or --where, or --all-failed for all failed ones"
        )
    if options.where is not None and options.stage not in {None, Stage.GENERATE}:
        raise WrongUse("--where chooses repaints, which the stage generate makes: leave out --stage")
    if options.where is not None and (options.all_failed or options.kind is not None or options.error is not None):
        raise WrongUse("--where chooses repaints that are there: leave out --all-failed, --kind and --error, which choose failed jobs")
    if options.done and options.all_failed:
        raise WrongUse("--done selects done jobs, --all-failed failed ones: requeue them one after the other")
    if options.done and (options.kind is not None or options.error is not None):
        raise WrongUse("--kind and --error select failed jobs: leave them out with --done")
    if new_seed and options.stage is Stage.RECAPTION:
        raise WrongUse("--new-seed changes the repaint, which a recaption does not make: use --stage generate")
