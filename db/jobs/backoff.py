"""Jobs that pause before a retry: they stand apart from those that can be claimed until their pause is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, update

from db.engine.clock import now
from db.jobs.keys_in_use import BACKING_OFF, keys_in_use
from db.jobs.tables import jobs

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select, Update

    from db.engine import Database

#: No pause is that long: a later moment was written before the database's clock went back.
LONGEST_PAUSE = 3600.0
#: Jobs that one statement makes claimable.
AT_ONCE = 5_000


def end_pauses(database: Database) -> int:
    """Make claimable what has paused long enough; returns how many. Every worker calls it every few seconds."""
    ended = 0
    for keys, end in _OVER:
        with database.read() as connection:
            due = connection.scalars(keys).all()
        for key in due:
            ended += _end(database, end, key)
    return ended


def _end(database: Database, end: Update, key: str) -> int:
    def write(connection: Connection) -> int:
        return connection.execute(end, {"key": key}).rowcount

    return database.write(write, single_statement=True)


def _keys(over: ColumnElement[bool]) -> Select[str]:
    """The keys of which a pause is over: one look at the index for each key that has pausing jobs."""
    keys = keys_in_use("pausing", BACKING_OFF)
    paused = select(jobs.c.id).where(jobs.c.batch_key == keys.c.batch_key, *BACKING_OFF, over).limit(1).correlate(keys)
    return select(keys.c.batch_key).where(paused.scalar_subquery().is_not(None))


def _update(over: ColumnElement[bool]) -> Update:
    mine = select(jobs.c.id).where(jobs.c.batch_key == bindparam("key"), *BACKING_OFF, over)
    picked = mine.order_by(jobs.c.not_before).limit(AT_ONCE).with_for_update(skip_locked=True, of=jobs)
    return update(jobs).where(jobs.c.id.in_(picked), *BACKING_OFF).values(not_before=0)


# The clock is asked once for a statement: PostgreSQL takes no index for a comparison with a function that gives another value each time.
_NOW = select(now()).scalar_subquery()
#: Two ranges of each key's stretch of ix_jobs_backing_off: what is due, and what was to pause by a clock that has gone back.
_OVER = [(_keys(over), _update(over)) for over in (jobs.c.not_before <= _NOW, jobs.c.not_before > _NOW + LONGEST_PAUSE)]
