"""Jobs that pause before a retry: they stand apart from those that can be claimed until their pause is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from db.engine.clock import now
from db.jobs.keys_in_use import BACKING_OFF, keys_in_use
from db.jobs.tables import jobs

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

    from db.engine import Database

#: No pause is that long: a later moment was written before the database's clock went back.
LONGEST_PAUSE = 3600.0
#: Jobs that one statement makes claimable.
AT_ONCE = 5_000


def end_pauses(database: Database) -> int:
    """Make claimable what has paused long enough; returns how many. Every worker calls it every few seconds."""
    return sum(_end(database, over) for over in _OVER)


def _end(database: Database, over: Select[Any]) -> int:
    with database.read() as connection:
        if connection.scalar(over.limit(1)) is None:
            return 0
    picked = over.limit(AT_ONCE).with_for_update(skip_locked=True, of=jobs)
    statement = update(jobs).where(jobs.c.id.in_(picked), *BACKING_OFF).values(not_before=0)
    return database.write(lambda connection: connection.execute(statement).rowcount, single_statement=True)


def _paused(until: ColumnElement[bool]) -> Select[Any]:
    keys = keys_in_use("pausing", BACKING_OFF)
    return select(jobs.c.id).join(keys, keys.c.batch_key == jobs.c.batch_key).where(*BACKING_OFF, until)


# The clock is asked once for a statement: PostgreSQL takes no index for a comparison with a function that gives another value each time.
_NOW = select(now()).scalar_subquery()
#: Two ranges of the index of every key: what is due, and what was to pause by a clock that has gone back.
_OVER = (_paused(jobs.c.not_before <= _NOW), _paused(jobs.c.not_before > _NOW + LONGEST_PAUSE))
