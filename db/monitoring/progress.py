"""How far the work is, as one moment shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from db.campaigns.tables import campaigns
from db.engine.clock import now
from db.monitoring.costs import CostOutlook, cost_outlook
from db.monitoring.counts import added_up, count_jobs, count_repaints
from db.monitoring.hosts import HostStatus, host_statuses, with_activity
from db.monitoring.rates import recent_finishes, seconds_left, stage_rates
from db.monitoring.stuck import find_stuck
from db.monitoring.worker_registry import RegisteredWorker, live_workers

if TYPE_CHECKING:
    from db.engine import Database
    from db.gpu_price import GpuPrice


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The state of the work at one moment."""

    #: Campaign name to {"state", "jobs": {stage: {state: count}}}.
    campaigns: dict[str, dict[str, Any]]
    #: Stage to state to count, over the chosen campaigns.
    jobs: dict[str, dict[str, int]]
    #: Current repaints.
    images: int
    workers: tuple[RegisteredWorker, ...]
    #: Stage to jobs finished per second lately.
    rates: dict[str, float] = field(default_factory=dict)
    #: Seconds until all is done at the present pace; None if nothing moves or nothing is left.
    eta_seconds: float | None = None
    #: Why work that is not done does not go on, with counts.
    stuck: dict[str, int] = field(default_factory=dict)
    #: The hosts that work, are drained, or fell silent within a day, by name.
    hosts: tuple[HostStatus, ...] = ()
    #: GPU hours, disk and money of what is done and of what is left; None without jobs.
    costs: CostOutlook | None = None


def progress(
    database: Database,
    campaign_id: int | None = None,
    *,
    workers_within: float = 30.0,
    details: bool = True,
    price: GpuPrice | None = None,
) -> Progress:
    """Counts by stage and state; with `details` also rates, the time left, what is stuck, what each host does, and costs.

    Args:
        database: the database.
        campaign_id: one campaign; None for all.
        workers_within: seconds after its last heartbeat in which a worker counts as alive: `Settings.alive_within_seconds`.
        details: whether more than counts is asked for.
        price: of a GPU hour, for costs in money.
    """
    # Without their configurations, which take longer to read than all the counts.
    known = select(campaigns.c.id, campaigns.c.name, campaigns.c.state).order_by(campaigns.c.id)
    workers = tuple(live_workers(database, within_seconds=workers_within))
    with database.read() as connection:
        chosen = [campaign for campaign in connection.execute(known) if campaign_id in {None, campaign.id}]
        counts = count_jobs(connection, [campaign.id for campaign in chosen])
        # Asked for once: PostgreSQL takes no index for a comparison with a clock that runs on, and reads that clock for every row.
        at = connection.scalar(select(now())) or 0.0
        finishes = recent_finishes(connection, campaign_id, at) if details else []
        rates = stage_rates(finishes, at)
        workers = with_activity(connection, workers, finishes, at) if details else workers
        hosts = host_statuses(connection, workers, at) if details else ()
        stuck = find_stuck(connection, campaign_id, counts, workers, at) if details else {}
        costs = cost_outlook(connection, counts, price) if details else None
        repaints = count_repaints(connection, campaign_id)
    total = added_up(counts.values())
    return Progress(
        campaigns={campaign.name: {"state": campaign.state, "jobs": counts[campaign.id]} for campaign in chosen},
        jobs=total,
        images=repaints,
        workers=workers,
        rates=rates,
        eta_seconds=seconds_left(total, rates),
        stuck=stuck,
        hosts=hosts,
        costs=costs,
    )
