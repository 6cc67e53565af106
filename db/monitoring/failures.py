"""Jobs that were given up, with what an operator needs to find the cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.catalogue.tables import artworks
from db.enums import JobState
from db.jobs.tables import jobs
from db.jobs.transitions import in_literal_state
from db.monitoring.counts import of_campaign

if TYPE_CHECKING:
    from db.engine import Database
    from db.enums import Stage


@dataclass(frozen=True, kw_only=True)
class FailedJob:
    """One job that was given up."""

    job: str
    stage: str
    kind: str
    error: str
    attempts: int
    #: The artwork's key.
    artwork: str
    artwork_id: int
    campaign_id: int


def failures(database: Database, campaign_id: int | None = None, stage: Stage | None = None, kind: str | None = None) -> list[FailedJob]:
    """The jobs that were given up, oldest first."""
    query = (
        select(jobs, artworks.c.key)
        .join(artworks, artworks.c.id == jobs.c.artwork_id)
        .where(in_literal_state(JobState.FAILED), *of_campaign(jobs, campaign_id))
        .order_by(jobs.c.id)
    )
    if stage is not None:
        query = query.where(jobs.c.stage == str(stage))
    if kind is not None:
        query = query.where(jobs.c.error_kind == kind)
    with database.read() as connection:
        return [
            FailedJob(
                job=row["job_key"],
                stage=row["stage"],
                kind=row["error_kind"],
                error=row["error_text"],
                attempts=row["attempt_count"],
                artwork=row["key"],
                artwork_id=row["artwork_id"],
                campaign_id=row["campaign_id"],
            )
            for row in connection.execute(query).mappings()
        ]
