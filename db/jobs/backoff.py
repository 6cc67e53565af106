"""Jobs that pause before a retry: they stand apart from those that can be claimed until their pause is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import literal_column, or_, select, update

from db.engine.clock import now
from db.enums import JobState
from db.jobs.tables import jobs
from db.jobs.transitions import in_literal_state

if TYPE_CHECKING:
    from db.engine import Database

#: No pause is that long: a later moment was written before the database's clock went back.
LONGEST_PAUSE = 3600.0
#: Jobs that one statement makes claimable.
AT_ONCE = 5_000

#: Ready, but not yet to be claimed.
BACKING_OFF = (in_literal_state(JobState.READY), jobs.c.not_before > literal_column("0"))


def end_pauses(database: Database) -> int:
    """Make claimable what has paused long enough; returns how many. Every worker calls it every few seconds."""
    over = or_(jobs.c.not_before <= now(), jobs.c.not_before > now() + LONGEST_PAUSE)
    due = select(jobs.c.id).where(*BACKING_OFF, over).order_by(jobs.c.not_before).limit(AT_ONCE)
    with database.read() as connection:
        if connection.scalar(due.limit(1)) is None:
            return 0
    picked = due.with_for_update(skip_locked=True, of=jobs)
    statement = update(jobs).where(jobs.c.id.in_(picked), *BACKING_OFF).values(not_before=0)
    return database.write(lambda connection: connection.execute(statement).rowcount, single_statement=True)
