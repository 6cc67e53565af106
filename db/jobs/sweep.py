"""Sweeping: jobs of workers that fell silent go back to the queue; what takes workers down is found and set apart.

A swept job keeps its old token, so that a worker that was only slow may still commit what nobody else has begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, text, true, update

from db.engine.clock import now
from db.enums import AttemptOutcome, FailureKind, JobState
from db.jobs.tables import attempts, jobs, leases
from db.jobs.transitions import move

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from db.engine import Database

#: A job that was on the device alone this often when its worker vanished is `poison`.
CRASHES_ALLOWED = 3
#: Any number that nobody else uses: PostgreSQL's advisory lock that keeps sweepers from queueing behind one another.
ADVISORY_LOCK = 7_209_401
#: Leases that one sweep handles.
LEASES_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What one sweep did."""

    returned: int
    poisoned: int


def sweep(database: Database, *, lease_seconds: float) -> Swept:
    """Return the jobs of expired leases to `ready`, suspects marked; reads first and locks only if there is something.

    After a restart of PostgreSQL nothing is swept for one lease, so that living workers can renew first.
    """
    with database.read() as connection:
        if connection.scalar(select(leases.c.token).where(leases.c.expires_at < now()).limit(1)) is None:
            return Swept(returned=0, poisoned=0)
        if database.is_postgresql and float(connection.scalar(text(_UPTIME)) or 0) < lease_seconds:
            return Swept(returned=0, poisoned=0)
    return database.write(_sweep)


def return_jobs_of(database: Database, worker_id: str, *, crashed: bool) -> Swept:
    """Return at once the jobs of a worker process that is known to be dead, without waiting for its leases to run out.

    Args:
        database: the database.
        worker_id: the dead worker.
        crashed: it ended by itself, so that what was on its device is suspect; False if it was stopped or killed from outside.
    """

    def write(connection: Connection) -> Swept:
        held = leases.c.worker_id == worker_id
        connection.execute(update(leases).where(held).values(expires_at=0, excused=leases.c.excused if crashed else true()))
        returned = poisoned = 0
        for lease in connection.execute(select(leases).where(held)).all():
            back, bad = _return_jobs(connection, lease)
            returned, poisoned = returned + back, poisoned + bad
        return Swept(returned=returned, poisoned=poisoned)

    return database.write(write)


_UPTIME = "SELECT EXTRACT(EPOCH FROM clock_timestamp() - pg_postmaster_start_time())"


def _sweep(connection: Connection) -> Swept:
    if connection.dialect.name == "postgresql" and not connection.scalar(select(func.pg_try_advisory_xact_lock(ADVISORY_LOCK))):
        return Swept(returned=0, poisoned=0)
    returned = poisoned = 0
    expired = connection.execute(select(leases).where(leases.c.expires_at < now()).limit(LEASES_AT_ONCE)).all()
    for lease in expired:
        back, bad = _return_jobs(connection, lease)
        returned, poisoned = returned + back, poisoned + bad
    return Swept(returned=returned, poisoned=poisoned)


def _return_jobs(connection: Connection, lease: Row[Any]) -> tuple[int, int]:
    overdue = select(leases.c.token).where(leases.c.token == lease.token, leases.c.expires_at < now()).exists()
    lost = connection.execute(
        move(JobState.READY, leaving={JobState.RUNNING})
        .where(jobs.c.lease_token == lease.token, overdue)
        .values(attempt_count=jobs.c.attempt_count + 1)
        .returning(jobs.c.id, jobs.c.attempt_count, jobs.c.round, jobs.c.crashes)
    ).all()
    connection.execute(delete(leases).where(leases.c.token == lease.token, leases.c.expires_at < now()))
    if not lost:
        return 0, 0
    connection.execute(insert(attempts).values(ended_at=now()), [_attempt(lease, job, len(lost)) for job in lost])
    poisoned = 0
    if lease.started_at is not None and not lease.excused:
        poisoned = _suspect(connection, [job.id for job in lost], alone=len(lost) == 1, crashes=lost[0].crashes)
    return len(lost) - poisoned, poisoned


def _suspect(connection: Connection, job_ids: list[int], *, alone: bool, crashes: int) -> int:
    """Mark jobs that were on the device; returns 1 if a lone one has crashed too often and is given up."""
    these = jobs.c.id.in_(job_ids)
    if not alone:
        connection.execute(update(jobs).where(these).values(suspect=True))
        return 0
    crashes += 1
    if crashes < CRASHES_ALLOWED:
        connection.execute(update(jobs).where(these).values(suspect=True, crashes=crashes))
        return 0
    condemned = move(JobState.FAILED, leaving={JobState.READY}).where(these)
    connection.execute(
        condemned.values(
            suspect=True,
            crashes=crashes,
            error_kind=str(FailureKind.POISON),
            error_text=f"its worker vanished {crashes} times while this job was alone on the device",
            lease_token=None,
            finished_at=now(),
        )
    )
    return 1


def _attempt(lease: Row[Any], job: Row[Any], together: int) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "number": job.attempt_count,
        "round": job.round,
        "worker_id": lease.worker_id,
        "outcome": str(AttemptOutcome.LOST),
        "error_text": "the worker was silent until its lease ran out",
        "started_at": lease.started_at,
        "batch_size": together,
    }
