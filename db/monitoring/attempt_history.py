"""The latest attempts and those under way, with what Flower shows of a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import literal_column, select

from db.campaigns.tables import variations
from db.catalogue.tables import artworks
from db.enums import AttemptOutcome, JobState
from db.jobs.tables import attempts, jobs, leases, workers
from db.jobs.transitions import in_state

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, RowMapping, Select

    from db.engine import Database


@dataclass(frozen=True, kw_only=True)
class PastAttempt:
    """One try of one job. Times are seconds since 1970 by the database's clock."""

    #: The job's key.
    job: str
    stage: str
    #: The artwork's key.
    artwork: str
    #: None for jobs of the original.
    level: str | None
    worker_id: str
    #: Whether the worker is known to have ended.
    worker_ended: bool
    #: Attempts of the job that ended before this one.
    earlier: int
    #: None while it is under way.
    outcome: AttemptOutcome | None
    #: Kind and text; "" unless it failed or was lost.
    error: str
    #: Whether it failed and the job was given up.
    gave_up: bool
    #: When it was claimed, where that is known: while it is under way.
    claimed_at: float | None
    #: When it began on the device; None if it did not, or if that was not recorded.
    started_at: float | None
    ended_at: float | None
    #: Its share of the time that its batch had the device.
    seconds: float | None


def latest_attempts(database: Database, limit: int) -> list[PastAttempt]:
    """The newest `limit` attempts that ended, oldest first, followed by as many of those that are under way."""
    with database.read() as connection:
        ended = connection.execute(_ENDED.limit(limit)).mappings().all()
        running = connection.execute(_RUNNING.limit(limit)).mappings().all()
    return [_attempt(row) for row in (*reversed(ended), *running)]


def _attempt(row: RowMapping) -> PastAttempt:
    outcome = None if row["outcome"] is None else AttemptOutcome(row["outcome"])
    is_last = row["number"] == row["attempt_count"] and row["state"] == str(JobState.FAILED)
    error = ": ".join(text for text in (row["error_kind"], row["error_text"]) if text) if outcome else ""
    return PastAttempt(
        job=row["job_key"],
        stage=row["stage"],
        artwork=row["artwork"],
        level=row["level"],
        worker_id=row["worker_id"],
        worker_ended=row["stopped_at"] is not None,
        earlier=max(0, row["number"] - 1) if outcome else row["attempt_count"],
        outcome=outcome,
        error=error,
        gave_up=outcome in {AttemptOutcome.FAILED, AttemptOutcome.LOST} and is_last,
        claimed_at=row["claimed_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        seconds=row["seconds"],
    )


def _of_jobs(*columns: Any) -> Select[Any]:
    named = (jobs.c.job_key, jobs.c.stage, jobs.c.state, jobs.c.attempt_count, artworks.c.key.label("artwork"), variations.c.level)
    return select(*named, workers.c.stopped_at, *columns)


_NOTHING: ColumnElement[Any] = literal_column("NULL")
_ENDED = (
    _of_jobs(
        *(attempts.c.worker_id, attempts.c.number, attempts.c.outcome, attempts.c.error_kind, attempts.c.error_text),
        *(attempts.c.started_at, attempts.c.ended_at, attempts.c.seconds, _NOTHING.label("claimed_at")),
    )
    .select_from(attempts)
    .join(jobs, jobs.c.id == attempts.c.job_id)
    .join(artworks, artworks.c.id == jobs.c.artwork_id)
    .outerjoin(variations, variations.c.id == jobs.c.variation_id)
    .outerjoin(workers, workers.c.id == attempts.c.worker_id)
    .order_by(attempts.c.id.desc())
)
_RUNNING = (
    _of_jobs(
        *(leases.c.worker_id, leases.c.claimed_at, leases.c.started_at),
        *(_NOTHING.label(name) for name in ("number", "outcome", "error_kind", "error_text", "ended_at", "seconds")),
    )
    .select_from(leases)
    .join(jobs, jobs.c.lease_token == leases.c.token)
    .join(artworks, artworks.c.id == jobs.c.artwork_id)
    .outerjoin(variations, variations.c.id == jobs.c.variation_id)
    .outerjoin(workers, workers.c.id == leases.c.worker_id)
    .where(in_state(JobState.RUNNING))
)
