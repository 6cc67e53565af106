"""The jobs that failed for good, with what an operator needs to find the cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.campaigns import all_campaigns, find_campaign
from db.monitoring.failures import failures as failed_jobs

if TYPE_CHECKING:
    from db.enums import FailureKind, Stage
    from db.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class ReportedFailure:
    """One job that failed for good, and why."""

    #: The job's key, which is also its task id in Flower.
    job: str
    campaign: str
    stage: str
    kind: str
    error: str
    attempts: int
    #: The artwork's key.
    artwork: str
    artwork_id: int


def list_failures(
    runtime: Runtime, *, campaign: str | None = None, stage: Stage | None = None, kind: FailureKind | None = None
) -> list[ReportedFailure]:
    """The failed jobs of a campaign, or of all, oldest first; raises `UnknownCampaign`."""
    chosen = find_campaign(runtime.database, campaign).id if campaign else None
    names = {known.id: known.name for known in all_campaigns(runtime.database)}
    return [
        ReportedFailure(
            job=failed.job,
            campaign=names[failed.campaign_id],
            stage=failed.stage,
            kind=failed.kind,
            error=failed.error,
            attempts=failed.attempts,
            artwork=failed.artwork,
            artwork_id=failed.artwork_id,
        )
        for failed in failed_jobs(runtime.database, chosen, stage, kind)
    ]
