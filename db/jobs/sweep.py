"""Sweeping: jobs of workers that fell silent go back to the queue; what takes workers down is found and set apart.

A swept job keeps its old token, so that a worker that was only slow may still commit what nobody else has begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, or_, select, text, true, update

from db.engine.clock import now
from db.enums import AttemptOutcome, FailureKind, JobState, WorkerEnd, WorkerEnded
from db.jobs.tables import attempts, jobs, leases, workers
from db.jobs.transitions import move

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import ColumnElement, Connection, Row

    from db.engine import Database

#: A job that was on the device alone this often when its worker vanished is `poison`.
CRASHES_ALLOWED = 3
#: From so many times on, being killed from outside while a job was alone on the device counts as a crash.
KILLS_ALLOWED = 10
#: Any number that nobody else uses: PostgreSQL's advisory lock that keeps sweepers from queueing behind one another.
ADVISORY_LOCK = 7_209_401
#: Seconds beside two renewals by which no lease reaches further than the database's clock.
CLOCK_SLACK = 60.0
#: Leases that one sweep handles.
LEASES_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What one sweep did."""

    returned: int
    poisoned: int


NOTHING_SWEPT = Swept(returned=0, poisoned=0)


def sweep(database: Database, *, lease_seconds: float, may_sweep: Callable[[float], bool] = lambda _: True) -> Swept:
    """Return the jobs of expired leases to `ready`, suspects marked; reads first and locks only if there is something.

    After a restart of PostgreSQL nothing is swept for one lease, so that living workers can renew first.

    Args:
        database: the database.
        lease_seconds: how long a lease is.
        may_sweep: asked with the database's time, first when it reads and again when it has been granted its lock, for which it may have
            waited while others waited to renew.
    """
    with database.read() as connection:
        first = select(leases.c.token).where(_expired()).limit(1).scalar_subquery()
        moment, found = connection.execute(select(now(), first)).one()
        if not may_sweep(moment) or found is None:
            return NOTHING_SWEPT
        # Negative: the clock went back since, and the server may have been up for long.
        if database.is_postgresql and 0 <= float(connection.scalar(text(_UPTIME)) or 0) < lease_seconds:
            return NOTHING_SWEPT
    return database.write(lambda connection: _sweep(connection, may_sweep))


def return_jobs_of(database: Database, worker_id: str, *, end: WorkerEnd) -> Swept:
    """Return at once the jobs of a worker process that is known to be dead, without waiting for its leases to run out; it counts as ended.

    Args:
        database: the database.
        worker_id: the dead worker.
        end: how it ended, which decides whether what was on its device is suspect, and whether that counts towards `poison`.
    """

    def write(connection: Connection) -> Swept:
        gone = update(workers).where(workers.c.id == worker_id, workers.c.stopped_at.is_(None))
        ended = WorkerEnded.STOPPED if end is WorkerEnd.STOPPED else WorkerEnded.DIED
        connection.execute(gone.values(stopped_at=now(), ended=str(ended)))
        held = leases.c.worker_id == worker_id
        connection.execute(
            update(leases).where(held).values(expires_at=0, excused=true() if end is WorkerEnd.STOPPED else leases.c.excused)
        )
        returned = poisoned = 0
        for lease in connection.execute(select(leases).where(held)).all():
            back, bad = _return_jobs(connection, lease, end)
            returned, poisoned = returned + back, poisoned + bad
        return Swept(returned=returned, poisoned=poisoned)

    return database.write(write)


_UPTIME = "SELECT EXTRACT(EPOCH FROM clock_timestamp() - pg_postmaster_start_time())"


def _expired() -> ColumnElement[bool]:
    """Its time is over, or it was given before the database's clock went back: no renewal reaches that far."""
    return or_(leases.c.expires_at < now(), leases.c.expires_at > now() + 2 * leases.c.seconds + CLOCK_SLACK)


def _sweep(connection: Connection, may_sweep: Callable[[float], bool]) -> Swept:
    if connection.dialect.name == "postgresql" and not connection.scalar(select(func.pg_try_advisory_xact_lock(ADVISORY_LOCK))):
        return NOTHING_SWEPT
    if not may_sweep(connection.execute(select(now())).scalar_one()):
        return NOTHING_SWEPT
    returned = poisoned = 0
    expired = connection.execute(select(leases).where(_expired()).limit(LEASES_AT_ONCE)).all()
    for lease in expired:
        back, bad = _return_jobs(connection, lease)
        returned, poisoned = returned + back, poisoned + bad
    return Swept(returned=returned, poisoned=poisoned)


def _return_jobs(connection: Connection, lease: Row[Any], end: WorkerEnd | None = None) -> tuple[int, int]:
    """How many jobs of a lease went back and how many were given up; `end` is how its worker ended, None if nobody saw it."""
    overdue = select(leases.c.token).where(leases.c.token == lease.token, _expired()).exists()
    lost = connection.execute(
        move(JobState.READY, leaving={JobState.RUNNING})
        .where(jobs.c.lease_token == lease.token, overdue)
        .values(attempt_count=jobs.c.attempt_count + 1)
        .returning(jobs.c.id, jobs.c.attempt_count, jobs.c.round, jobs.c.crashes)
    ).all()
    connection.execute(delete(leases).where(leases.c.token == lease.token, _expired()))
    if not lost:
        return 0, 0
    connection.execute(insert(attempts).values(ended_at=now()), [_attempt(lease, job, len(lost)) for job in lost])
    poisoned = 0
    if lease.started_at is not None and not lease.excused:
        # One that is left after its mates were cancelled, superseded or handed in was not alone. (0: it began before this was counted.)
        alone = (lease.began or len(lost)) == 1
        # Who is killed from outside each time it is alone, again and again, is what makes somebody kill.
        counts = end is not WorkerEnd.KILLED or (alone and _times_lost_alone(connection, lost[0]) >= KILLS_ALLOWED)
        poisoned = _suspect(connection, [job.id for job in lost], alone=alone and counts, crashes=lost[0].crashes)
    elif end is WorkerEnd.CRASHED and not lease.excused:
        # It may have been the reading of an original: whatever was held is suspect, and what it was shows when each is alone.
        _suspect(connection, [job.id for job in lost], alone=False, crashes=0)
    return len(lost) - poisoned, poisoned


def _times_lost_alone(connection: Connection, job: Row[Any]) -> int:
    lost = (attempts.c.job_id == job.id, attempts.c.round == job.round, attempts.c.outcome == str(AttemptOutcome.LOST))
    alone = (attempts.c.batch_size == 1, attempts.c.started_at.is_not(None))
    return int(connection.scalar(select(func.count()).select_from(attempts).where(*lost, *alone)) or 0)


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
