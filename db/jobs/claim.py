"""Claiming: the best ready jobs of one batch key, taken under one lease in one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Double, Integer, String, bindparam, func, insert, literal_column, select

from db.engine.clock import now
from db.enums import JobState, Stage
from db.jobs.batch_keys import Parameters
from db.jobs.keys_in_use import CLAIMABLE, keys_in_use
from db.jobs.tables import batch_keys, jobs, leases
from db.jobs.transitions import move

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, Select

    from db.engine import Database


@dataclass(frozen=True, kw_only=True)
class BatchCandidate:
    """One batch key that has work now."""

    batch_key: str
    campaign_id: int
    stage: Stage
    parameters: Parameters
    #: The highest priority among its ready jobs.
    priority: int
    #: Some of it was on a device when a worker vanished: to be claimed alone.
    has_suspects: bool


@dataclass(frozen=True, kw_only=True)
class ClaimedJob:
    """One job in a claimed batch."""

    job_id: int
    job_key: str
    artwork_id: int
    variation_id: int | None
    #: Attempts that ended before this one.
    attempts: int
    suspect: bool


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Jobs that one worker may finish, under one token."""

    token: str
    worker_id: str
    batch_key: str
    campaign_id: int
    stage: Stage
    parameters: Parameters
    jobs: tuple[ClaimedJob, ...]

    @property
    def is_suspect(self) -> bool:
        """Whether it is a job that may have taken a worker down: claimed alone, it is also to be worked on alone."""
        return any(job.suspect for job in self.jobs)


def ready_batches(database: Database, stages: Sequence[Stage]) -> list[BatchCandidate]:
    """The batch keys of these stages that have claimable jobs now, best priority first."""
    with database.read() as connection:
        rows = connection.execute(_OFFERED, {"stages": [str(stage) for stage in stages]}).mappings().all()
    found = [_candidate(row) for row in rows if row["top"] is not None or row["suspect"] is not None]
    return sorted(found, key=lambda candidate: (-candidate.priority, candidate.campaign_id, candidate.batch_key))


def _best(*, suspect: bool) -> ScalarSelect[int]:
    """The highest priority among a key's claimable jobs."""
    claimable = (jobs.c.batch_key == batch_keys.c.batch_key, *CLAIMABLE, jobs.c.suspect == literal_column(str(suspect).lower()))
    return select(jobs.c.priority).where(*claimable).order_by(jobs.c.priority.desc(), jobs.c.id).limit(1).scalar_subquery()


# Statements of every look and claim are built once: building and hashing them costs as much as running them.
_KEYS = keys_in_use("claimable", CLAIMABLE)
_OFFERED = (
    select(batch_keys, _best(suspect=False).label("top"), _best(suspect=True).label("suspect"))
    .join(_KEYS, _KEYS.c.batch_key == batch_keys.c.batch_key)
    .where(batch_keys.c.stage.in_(bindparam("stages", expanding=True)), batch_keys.c.paused == literal_column("false"))
)


def claim_batch(database: Database, *, worker_id: str, candidate: BatchCandidate, limit: int, lease_seconds: float) -> Batch | None:
    """Up to `limit` jobs of one batch key, leased to the worker; suspects first and alone; None if others were faster."""
    batch = None
    if candidate.has_suspects:
        batch = _claim(database, worker_id, candidate, limit=1, lease_seconds=lease_seconds, suspect=True)
    return batch or _claim(database, worker_id, candidate, limit=limit, lease_seconds=lease_seconds, suspect=False)


def _statement(*, suspect: bool) -> Any:
    paused = select(batch_keys.c.batch_key).where(batch_keys.c.batch_key == bindparam("key"), batch_keys.c.paused)
    picked = (
        select(jobs.c.id)
        .where(jobs.c.batch_key == bindparam("key"), *CLAIMABLE, jobs.c.suspect == literal_column(str(suspect).lower()), ~paused.exists())
        .order_by(jobs.c.priority.desc(), jobs.c.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True, of=jobs)
        .cte("picked")
        # Inlined, PostgreSQL may run the limited query once per row and claim more than its limit.
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    return (
        move(JobState.RUNNING)
        .where(jobs.c.id == picked.c.id)
        .values(lease_token=bindparam("token"))
        .returning(jobs.c.id, jobs.c.job_key, jobs.c.artwork_id, jobs.c.variation_id, jobs.c.attempt_count, jobs.c.priority)
    )


def _lease(size: ColumnElement[int]) -> dict[str, ColumnElement[Any]]:
    """The columns of the lease of so many jobs."""
    return {
        "token": bindparam("token", type_=String),
        "worker_id": bindparam("worker_id", type_=String),
        "expires_at": now() + bindparam("seconds", type_=Double),
        "seconds": bindparam("seconds", type_=Double),
        "claimed_at": now(),
        "batch_key": bindparam("key", type_=String),
        "size": size,
    }


def _with_lease(claim: Any) -> Select[Any]:
    """The claim and its lease as one statement, which on PostgreSQL is one round trip instead of four.

    It does not wait until the disk has it: a claim that a crash of the server forgets is work that is ready again, and whoever thinks to
    hold it is fenced like every worker whose lease is gone. A result commits after its claim, so what it follows from is never lost.
    """
    claimed = claim.cte("claimed")
    lease = _lease(func.count())
    leased = insert(leases).from_select(list(lease), select(*lease.values()).select_from(claimed).having(func.count() > 0)).cte("leased")
    return select(claimed, func.set_config("synchronous_commit", "off", literal_column("true"))).add_cte(leased)


_CLAIM = {suspect: _statement(suspect=suspect) for suspect in (False, True)}
_CLAIM_WITH_LEASE = {suspect: _with_lease(claim) for suspect, claim in _CLAIM.items()}
_LEASE = insert(leases).values(_lease(bindparam("size", type_=Integer)))


def _claim(
    database: Database, worker_id: str, candidate: BatchCandidate, *, limit: int, lease_seconds: float, suspect: bool
) -> Batch | None:
    token = str(uuid.uuid4())
    held = {"token": token, "worker_id": worker_id, "seconds": lease_seconds, "key": candidate.batch_key}

    def take_at_once(connection: Connection) -> Sequence[Row[Any]]:
        return connection.execute(_CLAIM_WITH_LEASE[suspect], held | {"most": limit}).all()

    def take(connection: Connection) -> Sequence[Row[Any]]:
        rows = connection.execute(_CLAIM[suspect], {"key": candidate.batch_key, "most": limit, "token": token}).all()
        if rows:
            connection.execute(_LEASE, held | {"size": len(rows)})
        return rows

    # SQLite knows no statement that changes two tables.
    rows = database.write(take_at_once, single_statement=True) if database.is_postgresql else database.write(take)
    if not rows:
        return None
    claimed = tuple(
        ClaimedJob(
            job_id=row.id,
            job_key=row.job_key,
            artwork_id=row.artwork_id,
            variation_id=row.variation_id,
            attempts=row.attempt_count,
            suspect=suspect,
        )
        for row in sorted(rows, key=lambda row: (-row.priority, row.id))
    )
    return Batch(
        token=token,
        worker_id=worker_id,
        batch_key=candidate.batch_key,
        campaign_id=candidate.campaign_id,
        stage=candidate.stage,
        parameters=candidate.parameters,
        jobs=claimed,
    )


def _candidate(row: Any) -> BatchCandidate:
    priorities = [priority for priority in (row["top"], row["suspect"]) if priority is not None]
    return BatchCandidate(
        batch_key=row["batch_key"],
        campaign_id=row["campaign_id"],
        stage=Stage(row["stage"]),
        parameters=Parameters(**row["parameters"]),
        priority=max(priorities),
        has_suspects=row["suspect"] is not None,
    )
