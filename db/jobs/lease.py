"""Leases: the right to finish a batch, kept by a heartbeat that touches one small row for each batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select, update

from db.engine.bulk import runs
from db.engine.clock import now
from db.enums import JobState
from db.jobs.tables import jobs, leases
from db.jobs.transitions import move

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Update

    from db.engine import Database


def renew(database: Database, tokens: Sequence[str], *, lease_seconds: float) -> int:
    """Extend these leases from now on; returns how many of them are still there."""
    if not tokens:
        return 0
    statement = update(leases).where(leases.c.token.in_(tokens)).values(expires_at=now() + lease_seconds, seconds=lease_seconds)
    return database.write(lambda connection: connection.execute(statement).rowcount, single_statement=True)


def excuse_leases(database: Database, worker_id: str) -> int:
    """The worker was asked to stop: if it vanishes from now on, that says nothing about its jobs; returns how many leases it holds."""
    statement = update(leases).where(leases.c.worker_id == worker_id).values(excused=True)
    return database.write(lambda connection: connection.execute(statement).rowcount, single_statement=True)


def begin_on_device(database: Database, token: str) -> bool:
    """Mark that the batch starts on the device; False if the lease or the last of its jobs is gone, and then it must not start.

    From here on its jobs are suspects if the worker vanishes. How many they were is kept: what becomes of its mates meanwhile makes none of
    them one that was alone.
    """
    return database.write(lambda connection: connection.execute(_BEGIN, {"mine": token}).rowcount == 1, single_statement=True)


def end_on_device(database: Database, token: str) -> None:
    """Take the mark away: the batch has left the device, and what its worker still does for it takes nobody down."""
    database.write(lambda connection: connection.execute(_END, {"mine": token}), single_statement=True)


def release_batch(database: Database, token: str, job_ids: Sequence[int] | None = None) -> int:
    """Return jobs that have not started to the queue, without an attempt: all of the lease, or some; returns how many."""

    def write(connection: Connection) -> int:
        if job_ids is None:
            returned = connection.execute(_back(token)).rowcount
            connection.execute(delete(leases).where(leases.c.token == token))
            return returned
        returned = sum(connection.execute(_back(token).where(jobs.c.id.in_(some))).rowcount for some in runs(job_ids))
        delete_if_unused(connection, token)
        return returned

    return database.write(write)


def delete_if_unused(connection: Connection, token: str) -> None:
    """Remove a lease that no job needs any more."""
    connection.execute(_RELEASE, {"mine": token})


# Statements of every batch are built once: building and hashing them costs as much as running them.
_HELD = jobs.select().where(jobs.c.lease_token == bindparam("mine")).exists()
_COUNT = select(func.count()).select_from(jobs).where(jobs.c.lease_token == bindparam("mine")).scalar_subquery()
_BEGIN = update(leases).where(leases.c.token == bindparam("mine"), _HELD).values(started_at=now(), began=_COUNT)
_END = update(leases).where(leases.c.token == bindparam("mine")).values(started_at=None, began=0)
_RELEASE = delete(leases).where(leases.c.token == bindparam("mine"), ~_HELD)


def _back(token: str) -> Update:
    return move(JobState.READY, leaving={JobState.RUNNING}).where(jobs.c.lease_token == token).values(lease_token=None)
