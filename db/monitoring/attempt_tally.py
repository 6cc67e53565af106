"""Counting attempts as they come: each is read once, so that totals over the life of one process cost what is new."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from db.engine.clock import now
from db.jobs.tables import attempts, jobs

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

#: Seconds after which an attempt is counted: one that was numbered before it may be committed after it.
SETTLED_SECONDS = 5.0
#: Attempts that are read at once at most; after a pause the rest follows with the next readings.
MOST_AT_ONCE = 200_000


@dataclass(frozen=True, kw_only=True)
class EndedAttempts:
    """What attempts are counted by."""

    campaign_id: int
    stage: str
    outcome: str
    #: The kind of the failure; None for one that was done, or lost with its worker.
    kind: str | None


class AttemptTally:
    """How many attempts ended since the first reading, by campaign, stage, outcome and kind."""

    def __init__(self) -> None:
        self.totals: Counter[EndedAttempts] = Counter()
        #: The last attempt that was counted; None before the first reading.
        self._last: int | None = None

    def read(self, connection: Connection) -> None:
        """Count what is new. The first reading counts nothing: it finds where to begin."""
        if self._last is None:
            self._last = connection.scalar(_LATEST) or 0
            return
        upper = connection.scalar(_UPPER, {"last": self._last})
        if upper is None:
            return
        for campaign_id, stage, outcome, kind, count in connection.execute(_NEW, {"last": self._last, "upper": upper}):
            self.totals[EndedAttempts(campaign_id=campaign_id, stage=stage, outcome=outcome, kind=kind)] += count
        self._last = upper


def upper_bound(*, most: int) -> Select[Any]:
    """The last attempt of the next `most` after the one named `last` that is settled."""
    following = (
        select(attempts.c.id, attempts.c.ended_at).where(attempts.c.id > bindparam("last")).order_by(attempts.c.id).limit(most).subquery()
    )
    # The clock is read once: PostgreSQL would read it for every row.
    return select(func.max(following.c.id)).where(following.c.ended_at <= select(now() - SETTLED_SECONDS).scalar_subquery())


_LATEST = select(func.max(attempts.c.id))
_UPPER = upper_bound(most=MOST_AT_ONCE)
_NEW = (
    select(jobs.c.campaign_id, jobs.c.stage, attempts.c.outcome, attempts.c.error_kind, func.count())
    .join(jobs, jobs.c.id == attempts.c.job_id)
    .where(attempts.c.id > bindparam("last"), attempts.c.id <= bindparam("upper"))
    .group_by(jobs.c.campaign_id, jobs.c.stage, attempts.c.outcome, attempts.c.error_kind)
)
