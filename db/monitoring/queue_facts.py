"""The state of the queue and of the workers for a monitoring system: everything that costs little over ten million jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, cast, func, select, text

from db.campaigns.tables import campaigns
from db.engine.clock import now
from db.enums import JobState
from db.jobs.keys_in_use import CLAIMABLE, keys_in_use
from db.jobs.tables import batch_keys, jobs, leases
from db.jobs.transitions import in_literal_state
from db.monitoring.counts import count_jobs
from db.monitoring.worker_registry import live_workers
from db.results.tables import images

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from db.engine import Database
    from db.monitoring.attempt_tally import AttemptTally
    from db.monitoring.counts import StageCounts
    from db.monitoring.worker_registry import RegisteredWorker

#: Of each batch key so many jobs are looked at for the oldest, those that are to be claimed next.
HEAD_OF_QUEUE = 1_000


@dataclass(frozen=True, kw_only=True)
class HeldLeases:
    """The batches that workers hold."""

    held: int
    #: Of them, those whose batch is on a device.
    on_device: int
    #: Of them, those that ran out and were not swept yet.
    expired: int


@dataclass(frozen=True, kw_only=True)
class QueueFacts:
    """One moment of the queue."""

    #: Campaign to its name.
    campaigns: dict[int, str]
    jobs: dict[int, StageCounts]
    #: Campaign and stage to the seconds for which the oldest claimable job has been ready; only where there is one.
    oldest_ready: dict[tuple[int, str], float]
    #: Campaign and stage, of those with jobs, to whether they are paused.
    paused: dict[tuple[int, str], bool]
    #: Campaign and kind to jobs that were given up.
    failed: dict[tuple[int, str], int]
    leases: HeldLeases
    workers: tuple[RegisteredWorker, ...]


def read_queue_facts(database: Database, *, workers_within: float, tally: AttemptTally) -> QueueFacts:
    """The present state; also brings `tally` up to date.

    Args:
        database: the database.
        workers_within: seconds after its last heartbeat in which a worker counts as alive: `Settings.alive_within_seconds`.
        tally: of this process.
    """
    workers = tuple(live_workers(database, within_seconds=workers_within))
    with database.read() as connection:
        names: dict[int, str] = {row.id: row.name for row in connection.execute(select(campaigns.c.id, campaigns.c.name))}
        at = connection.scalar(select(now())) or 0.0
        tally.read(connection)
        return QueueFacts(
            campaigns=names,
            jobs=count_jobs(connection, list(names)),
            oldest_ready=_oldest_ready(connection, at),
            paused={(row.campaign_id, row.stage): bool(row.paused) for row in connection.execute(_PAUSED)},
            failed={(row.campaign_id, row.error_kind): row.found for row in connection.execute(_FAILED)},
            leases=_held_leases(connection, at),
            workers=workers,
        )


def count_images(database: Database) -> dict[int, int]:
    """Campaign to its current repaints: goes through an index of all of them, which over ten million takes a second."""
    query = select(images.c.campaign_id, func.count().label("found")).where(text("images.current")).group_by(images.c.campaign_id)
    with database.read() as connection:
        return {row.campaign_id: row.found for row in connection.execute(query)}


def _oldest_ready(connection: Connection, at: float) -> dict[tuple[int, str], float]:
    found: dict[tuple[int, str], float] = {}
    for campaign_id, stage, since in connection.execute(_OLDEST):
        if since is not None:
            age = max(0.0, at - since)
            found[campaign_id, stage] = max(age, found.get((campaign_id, stage), 0.0))
    return found


def _held_leases(connection: Connection, at: float) -> HeldLeases:
    rows: list[Any] = list(connection.execute(select(leases.c.started_at, leases.c.expires_at)))
    return HeldLeases(
        held=len(rows),
        on_device=sum(row.started_at is not None for row in rows),
        expired=sum(row.expires_at < at for row in rows),
    )


def oldest_claimable(*, among: int) -> Select[Any]:
    """Campaign, stage and `changed_at` of the oldest of the next `among` jobs of each batch key that may be claimed."""
    keys = keys_in_use("claimable", CLAIMABLE)
    head = (
        select(jobs.c.changed_at)
        .where(jobs.c.batch_key == batch_keys.c.batch_key, *CLAIMABLE)
        .order_by(jobs.c.suspect, jobs.c.priority.desc(), jobs.c.id)  # as ix_jobs_claim has them
        .limit(among)
        .correlate(batch_keys)
        .subquery()
    )
    oldest = select(func.min(head.c.changed_at)).scalar_subquery()
    found = select(batch_keys.c.campaign_id, batch_keys.c.stage, oldest)
    return found.join(keys, keys.c.batch_key == batch_keys.c.batch_key).where(batch_keys.c.paused.is_(False))


_OLDEST = oldest_claimable(among=HEAD_OF_QUEUE)
_PAUSED = select(batch_keys.c.campaign_id, batch_keys.c.stage, func.max(cast(batch_keys.c.paused, Integer)).label("paused")).group_by(
    batch_keys.c.campaign_id, batch_keys.c.stage
)
_FAILED = (
    select(jobs.c.campaign_id, jobs.c.error_kind, func.count().label("found"))
    .where(in_literal_state(JobState.FAILED))
    .group_by(jobs.c.campaign_id, jobs.c.error_kind)
)
