"""The registered workers: who they are, what they run on, when their last heartbeat was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, not_, or_, select, update

from db.engine.clock import now
from db.enums import Stage
from db.errors import WorkerIdTaken
from db.jobs.living import is_living
from db.jobs.tables import leases, workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from db.engine import Database


#: Seconds after its last heartbeat for which a worker's id is its own.
ALIVE_SECONDS = 60.0
#: Seconds after its last heartbeat after which a worker's row is removed.
FORGOTTEN_SECONDS = 7 * 86400.0


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


def record_heartbeat(database: Database, worker_id: str, *, trouble: str | None = None) -> None:
    """The worker is alive now, whatever was thought of it; `trouble` is what keeps it from some of its jobs."""
    seen = update(workers).where(workers.c.id == worker_id).values(seen_at=now(), trouble=trouble, stopped_at=None)
    database.write(lambda connection: connection.execute(seen), single_statement=True)


def deregister_worker(database: Database, worker_id: str) -> None:
    """The worker ended in good order."""
    stopped = update(workers).where(workers.c.id == worker_id).values(stopped_at=now())
    database.write(lambda connection: connection.execute(stopped), single_statement=True)


def retire_silent_workers(database: Database, *, within_seconds: float) -> int:
    """Write down that those which do not count as alive have ended, until their next heartbeat; returns how many there were.

    Else they would count as alive again whenever the database's clock goes back and passes their last heartbeat once more.
    """
    silent = (workers.c.stopped_at.is_(None), not_(is_living(within_seconds)))
    with database.read() as connection:
        if connection.scalar(select(workers.c.id).where(*silent).limit(1)) is None:
            return 0
    retired = update(workers).where(*silent).values(stopped_at=now())
    return database.write(lambda connection: connection.execute(retired).rowcount, single_statement=True)


def live_workers(database: Database, *, within_seconds: float) -> list[RegisteredWorker]:
    """Workers that did not deregister and whose last heartbeat is no older, by name."""
    # Counted once for all: asked for each worker, a thousand of them would go through the leases a thousand times.
    held = select(leases.c.worker_id, func.count().label("batches")).group_by(leases.c.worker_id).subquery()
    query = (
        select(workers, (now() - workers.c.seen_at).label("silent_for"), func.coalesce(held.c.batches, 0).label("batches"))
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
