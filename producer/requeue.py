"""Requeueing what an operator selects: failed jobs become ready again, results of done ones are superseded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.campaigns import check_not_cancelled, find_campaign
from db.enums import FailureKind, Stage
from db.jobs.requeue import JobFilter, count_requeueable, requeue
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


@dataclass(frozen=True, kw_only=True)
class RequeueResult:
    """How many jobs were requeued, or in a dry run would be."""

    jobs: int
    #: Chosen jobs of cancelled campaigns, which stay as they are.
    cancelled: int
    dry_run: bool
    #: Chosen jobs whose results were imported: another import replaces them, no worker.
    imported: int = 0


#: Options that narrow the selection; a campaign alone is not enough, it would select everything that failed.
_NARROWING = ("stage", "kind", "error", "style", "artwork", "older_than")


def requeue_chosen(runtime: Runtime, options: RequeueOptions, *, new_seed: bool = False, dry_run: bool = False) -> RequeueResult:
    """Make the selected jobs ready again and wake the workers.

    The result of a done job stays current until the new one is there; then what was made from it is redone too.

    Raises:
        WrongUse: nothing is selected, or options do not fit together.
        UnknownCampaign, UnknownStyle, UnknownArtwork: there is none of that name.
        CampaignCancelled: the campaign was cancelled, which is final.
    """
    _check(options, new_seed=new_seed)
    chosen = _filter(runtime, options)
    counted = count_requeueable(runtime.database, chosen)
    if dry_run:
        return RequeueResult(jobs=counted.total, cancelled=counted.cancelled, imported=counted.imported, dry_run=True)
    jobs = requeue(runtime.database, chosen, new_seed=new_seed)
    if jobs:
        notify_ready(runtime)
    return RequeueResult(jobs=jobs, cancelled=counted.cancelled, imported=counted.imported, dry_run=False)


def _filter(runtime: Runtime, options: RequeueOptions) -> JobFilter:
    if options.style is not None:
        check_styles(runtime.database, [options.style])
    campaign = find_campaign(runtime.database, options.campaign) if options.campaign else None
    if campaign is not None:
        check_not_cancelled(campaign)
    return JobFilter(
        campaign_id=None if campaign is None else campaign.id,
        stage=options.stage,
        kind=options.kind,
        error=options.error,
        style=options.style,
        artwork_id=find_artwork(runtime.database, options.artwork) if options.artwork else None,
        older_than=options.older_than,
        done=options.done,
    )


def _check(options: RequeueOptions, *, new_seed: bool) -> None:
    """Raise `WrongUse` for options that do not fit together."""
    narrowed = any(getattr(options, name) is not None for name in _NARROWING)
    if not narrowed and not options.all_failed and not options.done:
        raise WrongUse("say which jobs: --stage, --kind, --error, --style, --artwork or --older-than, or --all-failed for all failed ones")
    if options.done and options.all_failed:
        raise WrongUse("--done selects done jobs, --all-failed failed ones: requeue them one after the other")
    if options.done and (options.kind is not None or options.error is not None):
        raise WrongUse("--kind and --error select failed jobs: leave them out with --done")
    if new_seed and options.stage is Stage.RECAPTION:
        raise WrongUse("--new-seed changes the repaint, which a recaption does not make: use --stage generate")
