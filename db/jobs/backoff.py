"""Jobs that pause before a retry: they stand apart from those that can be claimed until their pause is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select, update

from db.engine.clock import now
from db.jobs.keys_in_use import BACKING_OFF, keys_in_use
from db.jobs.tables import attempts, jobs

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, ScalarSelect, Update

    from db.engine import Database

#: Seconds by which a moment that was just written may seem to lie ahead; one that lies further was written before the clock went back.
WRITTEN_AHEAD_SECONDS = 1.0
#: Jobs that one statement makes claimable.
AT_ONCE = 5_000


def end_pauses(database: Database) -> int:
    """Make claimable what has paused long enough; returns how many. Every worker calls it every few seconds.

    Pauses that began before the database's clock went back are over too: they would last as much longer as it went.
    """
    with database.read() as connection:
        pausing = connection.execute(_PAUSING).all()
    ended = 0
    for key, first, last_attempt, at in pausing:
        if first <= at:
            ended += _end(database, _DUE, key, at)
        if last_attempt > at + WRITTEN_AHEAD_SECONDS:
            ended += _end(database, _AHEAD, key, at + WRITTEN_AHEAD_SECONDS)
    return ended


def _end(database: Database, end: Update, key: str, at: float) -> int:
    return database.write(lambda connection: connection.execute(end, {"key": key, "at": at}).rowcount, single_statement=True)


_KEYS = keys_in_use("pausing", BACKING_OFF)


def _first_end() -> ScalarSelect[float]:
    """When the first pause of a key ends: one look at the index."""
    paused = select(jobs.c.not_before).where(jobs.c.batch_key == _KEYS.c.batch_key, *BACKING_OFF)
    return paused.order_by(jobs.c.not_before).limit(1).correlate(_KEYS).scalar_subquery()


def _last_attempt() -> ScalarSelect[float]:
    """When the latest attempt ended: each pause begins with one, so that this is all to look at while the clock runs on."""
    return select(attempts.c.ended_at).order_by(attempts.c.ended_at.desc()).limit(1).scalar_subquery()


def _update(over: ColumnElement[bool]) -> Update:
    mine = select(jobs.c.id).where(jobs.c.batch_key == bindparam("key"), *BACKING_OFF, over)
    picked = mine.limit(AT_ONCE).with_for_update(skip_locked=True, of=jobs)
    return update(jobs).where(jobs.c.id.in_(picked), *BACKING_OFF).values(not_before=0)


#: Of each key that has pausing jobs: when the first pause ends; when the latest attempt of all ended; and the present moment.
_PAUSING = select(_KEYS.c.batch_key, _first_end(), func.coalesce(_last_attempt(), 0.0), now()).where(_KEYS.c.batch_key.is_not(None))
#: The moment is a parameter: PostgreSQL takes no index for a comparison with a clock that runs on.
_DUE = _update(jobs.c.not_before <= bindparam("at"))
_AHEAD = _update(jobs.c.changed_at > bindparam("at"))
