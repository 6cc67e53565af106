"""The registered workers: who they are, what they run on, when their last heartbeat was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, not_, or_, select, update

from db.engine.clock import now
from db.engine.tables import schema_compatibility
from db.enums import Stage, WorkerEnded
from db.errors import WorkerIdTaken
from db.jobs.living import is_living
from db.jobs.tables import drained_hosts, leases, workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from db.engine import Database


#: Seconds after its last heartbeat for which a worker's id is its own.
ALIVE_SECONDS = 60.0
#: Seconds after its last heartbeat after which a worker's row is removed.
FORGOTTEN_SECONDS = 7 * 86400.0


@dataclass(frozen=True, kw_only=True)
class BatchUnderWay:
    """One batch that a worker holds."""

    #: None where a worker of an earlier version holds it.
    stage: str | None
    campaign: str | None
    #: How many jobs were claimed together.
    jobs: int | None
    #: Seconds since it was claimed.
    held_for: float
    #: Seconds since it began on the device; None before and after that.
    on_device_for: float | None


@dataclass(frozen=True, kw_only=True)
class HeartbeatAnswer:
    """What a worker learns from its heartbeat."""

    #: The database's clock, in seconds since 1970.
    database_now: float
    #: Whether its host was drained.
    drained: bool
    #: The oldest schema that a program may have been made for to work with this one.
    oldest_code: str | None


@dataclass(frozen=True, kw_only=True)
class RegisteredWorker:
    """One worker process."""

    id: str
    host: str
    pid: int
    device: str
    stages: tuple[str, ...]
    threads: int
    versions: dict[str, str]
    #: Seconds since its last heartbeat.
    silent_for: float
    #: Batches it holds a lease for.
    batches: int
    #: What keeps it from some of its jobs.
    trouble: str | None
    #: Which of the host's devices it works on: "gpu0", "cpu".
    name: str = ""
    #: Seconds since it started.
    up_for: float = 0.0
    #: Seconds by which its host's clock is ahead of the database's; negative if it is behind, None if nobody can tell.
    clock_offset: float | None = None
    #: Stage to jobs that it finished per second lately; only in a status with all details.
    rates: dict[str, float] = field(default_factory=dict)
    #: What it holds now, the longest held first; only in a status with all details.
    under_way: tuple[BatchUnderWay, ...] = ()


def register_worker(
    database: Database, *, worker_id: str, host: str, pid: int, device: str, stages: Sequence[Stage], threads: int, versions: dict[str, str]
) -> None:
    """Register a worker, replacing an earlier process of the same id, and forget those that have been gone for a week.

    Raises:
        WorkerIdTaken: a living worker, another process, has this id.
    """
    facts: dict[str, Any] = {
        "host": host,
        "pid": pid,
        "device": device,
        "stages": [str(stage) for stage in stages],
        "threads": threads,
        "versions": versions,
    }

    def write(connection: Connection) -> None:
        alive = (workers.c.id == worker_id, is_living(ALIVE_SECONDS))
        other = or_(workers.c.host != host, workers.c.pid != pid)
        if connection.scalar(select(workers.c.id).where(*alive, other)) is not None:
            raise WorkerIdTaken(f"a living worker has the id {worker_id!r}: start again, each start draws a new one")
        connection.execute(delete(workers).where(or_(workers.c.id == worker_id, workers.c.seen_at < now() - FORGOTTEN_SECONDS)))
        connection.execute(insert(workers).values(id=worker_id, **facts, started_at=now(), seen_at=now()))

    database.write(write)


def record_heartbeat(
    database: Database, worker_id: str, *, trouble: str | None = None, clock_offset: float | None = None
) -> HeartbeatAnswer | None:
    """The worker is alive now, whatever was thought of it; returns what it has to know, None if it is not registered.

    Args:
        database: the database.
        worker_id: the worker.
        trouble: what keeps it from some of its jobs.
        clock_offset: seconds by which its host's clock is ahead of the database's, if that is known.
    """
    # Nested, without a join or a look at the row itself: SQLAlchemy leaves out the tables' names in SQLite's RETURNING.
    mine = select(_SELF.c.host).where(_SELF.c.id == worker_id)
    drained = select(drained_hosts.c.host).where(drained_hosts.c.host.in_(mine))
    seen = (
        update(workers)
        .where(workers.c.id == worker_id)
        .values(seen_at=now(), trouble=trouble, clock_offset=clock_offset, stopped_at=None, ended=None)
        .returning(now(), drained.scalar_subquery(), _OLDEST_CODE)
    )
    row = database.write(lambda connection: connection.execute(seen).one_or_none(), single_statement=True)
    return None if row is None else HeartbeatAnswer(database_now=row[0], drained=row[1] is not None, oldest_code=row[2])


_SELF = workers.alias("itself")
_OLDEST_CODE = select(schema_compatibility.c.oldest_code).scalar_subquery()


def deregister_worker(database: Database, worker_id: str) -> None:
    """The worker ended in good order."""
    stopped = update(workers).where(workers.c.id == worker_id).values(stopped_at=now(), ended=str(WorkerEnded.STOPPED))
    database.write(lambda connection: connection.execute(stopped), single_statement=True)


def retire_silent_workers(database: Database, *, within_seconds: float) -> int:
    """Write down that those which do not count as alive have ended, until their next heartbeat; returns how many there were.

    Else they would count as alive again whenever the database's clock goes back and passes their last heartbeat once more.
    """
    silent = (workers.c.stopped_at.is_(None), not_(is_living(within_seconds)))
    with database.read() as connection:
        if connection.scalar(select(workers.c.id).where(*silent).limit(1)) is None:
            return 0
    retired = update(workers).where(*silent).values(stopped_at=now(), ended=str(WorkerEnded.SILENT))
    return database.write(lambda connection: connection.execute(retired).rowcount, single_statement=True)


def live_workers(database: Database, *, within_seconds: float) -> list[RegisteredWorker]:
    """Workers that did not deregister and whose last heartbeat is no older, by name."""
    # Counted once for all: asked for each worker, a thousand of them would go through the leases a thousand times.
    held = select(leases.c.worker_id, func.count().label("batches")).group_by(leases.c.worker_id).subquery()
    query = (
        select(
            workers,
            (now() - workers.c.seen_at).label("silent_for"),
            (now() - workers.c.started_at).label("up_for"),
            func.coalesce(held.c.batches, 0).label("batches"),
        )
        .outerjoin(held, held.c.worker_id == workers.c.id)
        .where(is_living(within_seconds))
        .order_by(workers.c.id)
    )
    with database.read() as connection:
        return [
            RegisteredWorker(
                id=row["id"],
                host=row["host"],
                pid=row["pid"],
                device=row["device"],
                stages=tuple(row["stages"]),
                threads=row["threads"],
                versions=dict(row["versions"]),
                silent_for=max(0.0, row["silent_for"]),
                batches=row["batches"],
                trouble=row["trouble"],
                name=device_name(row["id"]),
                up_for=max(0.0, row["up_for"]),
                clock_offset=row["clock_offset"],
            )
            for row in connection.execute(query).mappings()
        ]


@dataclass(frozen=True, kw_only=True)
class Census:
    """How many workers live, and how many threads of theirs serve each stage."""

    workers: int
    threads: dict[Stage, int]


def take_census(database: Database, *, within_seconds: float) -> Census:
    """The living workers and their threads, added up by the database: few rows come back, as most workers serve the same stages."""
    alike = select(workers.c.stages, func.count(), func.sum(workers.c.threads)).where(is_living(within_seconds)).group_by(workers.c.stages)
    count, threads = 0, dict.fromkeys(Stage, 0)
    with database.read() as connection:
        for stages, some, theirs in connection.execute(alike):
            count += int(some)
            for stage in stages:
                threads[Stage(stage)] += int(theirs)
    return Census(workers=count, threads=threads)


def live_threads(database: Database, stage: Stage, *, within_seconds: float) -> int:
    """Threads of living workers that serve a stage."""
    return take_census(database, within_seconds=within_seconds).threads[stage]


def device_name(worker_id: str) -> str:
    """The part of a worker's id that names its device: "gpu0" of `gpu0-3fa2b1c93fa2b1c9@host`."""
    return worker_id.partition("@")[0].rpartition("-")[0] or worker_id.partition("@")[0]
