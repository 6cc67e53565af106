"""What is under way while the store is collected: its blobs may have no row yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from db.engine.clock import now
from db.enums import JobState
from db.jobs.living import is_living
from db.jobs.tables import jobs, leases, workers

if TYPE_CHECKING:
    from db.engine import Database

#: Younger blobs stay while anything is under way: a worker that had been asleep may come back and commit what it had put before.
FLOOR_SECONDS = 600.0
#: Added to the age of the oldest claim: object stores tell times in whole seconds.
MARGIN_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class WorkUnderWay:
    """What may commit blobs that were put already."""

    workers: int
    jobs: bool
    #: Seconds since the oldest lease was claimed, by the database's clock; None without a lease.
    oldest_claim_seconds: float | None

    @property
    def protected_seconds(self) -> float:
        """Blobs younger than this stay; 0 if nothing is under way."""
        if not self.workers and not self.jobs and self.oldest_claim_seconds is None:
            return 0.0
        return max(FLOOR_SECONDS, (self.oldest_claim_seconds or 0.0) + MARGIN_SECONDS)


def work_under_way(database: Database, *, alive_within_seconds: float) -> WorkUnderWay:
    """Leases, running jobs, jobs that were taken from a silent worker a short while ago, and workers that are alive."""
    alive = select(func.count()).select_from(workers).where(is_living(alive_within_seconds))
    # Of a job that a sweep returned, the late worker still holds the token, and can commit until another has claimed it.
    running = or_(jobs.c.state == JobState.RUNNING, jobs.c.changed_at > now() - FLOOR_SECONDS)
    held = select(jobs.c.id).where(jobs.c.lease_token.is_not(None), running).limit(1)
    oldest = select(now() - func.min(leases.c.claimed_at))
    with database.read() as connection:
        claimed = connection.scalar(oldest)
        return WorkUnderWay(
            workers=connection.scalar(alive) or 0,
            jobs=connection.scalar(held) is not None,
            oldest_claim_seconds=None if claimed is None else max(0.0, float(claimed)),
        )
