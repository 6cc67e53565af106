"""What a plan will take: disk for its repaints, and the devices' time and money, measured where work like it was done, else assumed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from db.enums import Stage
from db.monitoring.costs import Basis, priced
from db.monitoring.device_rates import RateSource, device_rates, known_keys, planned_keys
from db.monitoring.repaint_bytes import repaint_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.campaigns import Campaign
    from db.engine import Database
    from db.gpu_price import GpuPrice
    from db.jobs.plan import PlannedWork
    from db.monitoring.device_rates import WorkKey


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What the planned jobs will take."""

    disk_bytes: int
    #: How the disk was estimated.
    disk_basis: str
    #: Seconds of all devices together, as measured; None if a stage has never been measured with these models.
    device_seconds: float | None
    #: Stages of which nothing is known.
    unmeasured: tuple[str, ...]
    #: Hours of all GPUs together, by assumption where nothing was measured.
    gpu_hours: float = 0.0
    #: Stage to where the seconds of its jobs are known from: "measured in this campaign ...", "assumed: ...".
    gpu_basis: dict[str, str] = field(default_factory=dict)
    #: The GPU hours at PARAGONE_GPU_PRICE; None without it.
    money: float | None = None
    #: Of the price, as it was written; None without a price or a currency.
    currency: str | None = None


def forecast(database: Database, campaign: Campaign, plan: PlannedWork, price: GpuPrice | None = None) -> Forecast:
    """Disk, device time and money of a plan; a campaign that is not open yet has the id 0."""
    keys = planned_keys(campaign.config, campaign.id or None)
    with database.read() as connection:
        rates = device_rates(connection, keys, known_keys(connection))
        each = repaint_bytes(connection, campaign.config.picture.model_dump())
    seconds, basis, unmeasured = 0.0, Basis(), set()
    for key, count in _planned(campaign, plan, keys):
        rate = rates[key.batch_key]
        basis.add(key, rate)
        seconds += count * rate.seconds
        if rate.source is RateSource.ASSUMED:
            unmeasured.add(key.stage)
    cost = priced(seconds, plan.variations * each.mean, price)
    return Forecast(
        disk_bytes=cost.disk_bytes,
        disk_basis=each.basis,
        device_seconds=None if unmeasured else round(seconds, 1),
        unmeasured=tuple(str(stage) for stage in Stage if stage in unmeasured),
        gpu_hours=cost.gpu_hours,
        gpu_basis=basis.texts(),
        money=cost.money,
        currency=(price.currency or None) if price else None,
    )


def free_bytes(store_location: str) -> int | None:
    """What is free where a local store lies; None for a store elsewhere."""
    if "://" in store_location:
        return None
    place = Path(store_location)
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def _planned(campaign: Campaign, plan: PlannedWork, keys: list[WorkKey]) -> Iterator[tuple[WorkKey, float]]:
    """The keys to which the plan adds jobs, and how many: levels in their shares."""
    captions = plan.jobs - plan.variations * (len(campaign.config.stages) - 1)
    for key in keys:
        count = key.share * (captions if key.stage is Stage.CAPTION else plan.variations)
        if count:
            yield key, count
