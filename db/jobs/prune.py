"""Pruning the history of attempts: what nobody counts any more."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from db.engine.bulk import runs
from db.engine.clock import now
from db.enums import JobState
from db.jobs.tables import attempts, jobs
from db.jobs.transitions import in_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from db.engine import Database

#: Attempts that are looked at together.
AT_ONCE = 9_000

_ENDED = in_state(JobState.DONE, JobState.CANCELLED)


def prune_attempts(database: Database, older_than_seconds: float, *, dry_run: bool = False) -> int:
    """Remove attempts that ended so many seconds ago, of jobs that are done or cancelled; returns how many, in a dry run would be.

    Those of jobs that are not done or that failed stay: retries are counted from them, and they tell what was tried. Workers and the
    counts of `status` do not need the others; a forecast is made from those that are left.
    """
    with database.read() as connection:
        before = float(connection.scalar(select(now())) or 0) - older_than_seconds
        if dry_run:
            old = select(func.count()).select_from(attempts).join(jobs, jobs.c.id == attempts.c.job_id).where(attempts.c.ended_at < before)
            return int(connection.scalar(old.where(_ENDED)) or 0)
        last = int(connection.scalar(select(func.max(attempts.c.id)).where(attempts.c.ended_at < before)) or 0)
    removed = at = 0
    while at < last:
        some, at = database.write(partial(_prune_some, before=before, after=at, last=last))
        removed += some
    return removed


def _prune_some(connection: Connection, *, before: float, after: int, last: int) -> tuple[int, int]:
    """How many of the next attempts were removed, and the last id that was looked at."""
    following = select(attempts.c.id).where(attempts.c.id > after, attempts.c.id <= last).order_by(attempts.c.id).limit(AT_ONCE)
    seen = connection.scalars(following).all()
    if not seen:
        return 0, last
    ended = select(attempts.c.id).join(jobs, jobs.c.id == attempts.c.job_id)
    ended = ended.where(attempts.c.id > after, attempts.c.id <= seen[-1], attempts.c.ended_at < before)
    gone: Sequence[int] = connection.scalars(ended.where(_ENDED)).all()
    for some in runs(gone):
        connection.execute(delete(attempts).where(attempts.c.id.in_(some)))
    return len(gone), seen[-1]
