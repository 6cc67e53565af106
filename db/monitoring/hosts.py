"""What each host does: its workers with their rates and batches, whether it is drained or silent, and how far its clock is off."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select

from db.campaigns.tables import campaigns
from db.enums import HostState, WorkerEnded
from db.jobs.tables import batch_keys, drained_hosts, leases, workers
from db.monitoring.rates import worker_rates
from db.monitoring.worker_registry import BatchUnderWay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from db.monitoring.rates import Finishes
    from db.monitoring.worker_registry import RegisteredWorker

#: Seconds for which a host that fell silent is shown.
SHOWN_SECONDS = 86_400.0
#: Seconds by which a host's clock may differ from the database's without a word: logs of several hosts can still be read side by side.
LARGE_CLOCK_OFFSET = 5.0


@dataclass(frozen=True, kw_only=True)
class HostStatus:
    """One host, as one moment shows it."""

    host: str
    state: HostState
    #: Its living workers.
    workers: int
    #: Stage to jobs that it finished per second lately.
    rates: dict[str, float] = field(default_factory=dict)
    #: Seconds since the last heartbeat of any of its workers; None if none is remembered.
    silent_for: float | None = None
    #: Seconds since it was drained; None if it is not.
    drained_for: float | None = None
    #: Seconds by which its clock is ahead of the database's; negative if it is behind, None if nobody can tell.
    clock_offset: float | None = None


def with_activity(
    connection: Connection, living: Sequence[RegisteredWorker], finishes: Sequence[Finishes], at: float
) -> tuple[RegisteredWorker, ...]:
    """The workers with their rates and the batches that they hold."""
    query = (
        select(leases.c.worker_id, leases.c.claimed_at, leases.c.started_at, leases.c.size, batch_keys.c.stage, campaigns.c.name)
        .outerjoin_from(leases, batch_keys, batch_keys.c.batch_key == leases.c.batch_key)
        .outerjoin(campaigns, campaigns.c.id == batch_keys.c.campaign_id)
        .order_by(leases.c.claimed_at)
    )
    held: dict[str, list[BatchUnderWay]] = defaultdict(list)
    for row in connection.execute(query):
        on_device = None if row.started_at is None else max(0.0, at - row.started_at)
        since = max(0.0, at - row.claimed_at)
        batch = BatchUnderWay(stage=row.stage, campaign=row.name, jobs=row.size, held_for=since, on_device_for=on_device)
        held[row.worker_id].append(batch)
    finished: dict[str, list[Finishes]] = defaultdict(list)
    for one in finishes:
        finished[one.worker_id].append(one)
    return tuple(
        replace(
            worker,
            rates=worker_rates(finished.get(worker.id, ()), worker.id, up_for=worker.up_for),
            under_way=tuple(held.get(worker.id, ())),
        )
        for worker in living
    )


def host_statuses(connection: Connection, living: Sequence[RegisteredWorker], at: float) -> tuple[HostStatus, ...]:
    """Every host that works, is drained, or fell silent within a day; those that were stopped in good order are left out."""
    drained: dict[str, float] = dict(connection.execute(select(drained_hosts.c.host, drained_hosts.c.asked_at)).all())
    alive: dict[str, list[RegisteredWorker]] = defaultdict(list)
    for worker in living:
        alive[worker.host].append(worker)
    gone = _last_seen(connection, at)
    silent = {host for host, (_, is_silent) in gone.items() if is_silent}
    return tuple(
        HostStatus(
            host=host,
            state=_state(working=bool(alive.get(host)), drained=host in drained),
            workers=len(alive.get(host, ())),
            rates=_added_up(alive.get(host, ())),
            silent_for=_silent_for(alive.get(host, ()), gone.get(host), at),
            drained_for=max(0.0, at - drained[host]) if host in drained else None,
            clock_offset=_largest([worker.clock_offset for worker in alive.get(host, ())]),
        )
        for host in sorted({*alive, *drained, *silent})
    )


def _last_seen(connection: Connection, at: float) -> dict[str, tuple[float, bool]]:
    """Host to the last heartbeat of any of its workers within a day, and whether that worker fell silent."""
    recent = workers.c.seen_at > at - SHOWN_SECONDS
    last = select(workers.c.host, func.max(workers.c.seen_at).label("seen_at")).where(recent).group_by(workers.c.host).subquery()
    query = select(workers.c.host, workers.c.seen_at, workers.c.stopped_at, workers.c.ended).join(
        last, and_(last.c.host == workers.c.host, last.c.seen_at == workers.c.seen_at)
    )
    # One that nobody has retired yet has not ended as far as anybody knows; the living ones are not asked for.
    return {row.host: (row.seen_at, row.stopped_at is None or row.ended == str(WorkerEnded.SILENT)) for row in connection.execute(query)}


def _state(*, working: bool, drained: bool) -> HostState:
    if drained:
        return HostState.DRAINING if working else HostState.DRAINED
    return HostState.WORKING if working else HostState.SILENT


def _added_up(living: Sequence[RegisteredWorker]) -> dict[str, float]:
    total: dict[str, float] = {}
    for worker in living:
        for stage, rate in worker.rates.items():
            total[stage] = total.get(stage, 0.0) + rate
    return total


def _silent_for(living: Sequence[RegisteredWorker], gone: tuple[float, bool] | None, at: float) -> float | None:
    if living:
        return min(worker.silent_for for worker in living)
    return None if gone is None else max(0.0, at - gone[0])


def _largest(offsets: Sequence[float | None]) -> float | None:
    return max((offset for offset in offsets if offset is not None), key=abs, default=None)
