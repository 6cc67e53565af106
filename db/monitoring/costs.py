"""What work has taken and will take: hours of GPUs, bytes of repaints, and money where a GPU hour has a price.

All of it is counts of jobs times what one of them takes (db.monitoring.device_rates, db.monitoring.repaint_bytes), so that it costs as
little for ten million jobs as for ten.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.campaigns.imported import IMPORTED
from db.enums import UNFINISHED_STATES, JobState, Stage
from db.monitoring.assumptions import assumption_of
from db.monitoring.device_rates import RateSource, device_rates, known_keys
from db.monitoring.repaint_bytes import repaint_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from db.gpu_price import GpuPrice
    from db.monitoring.counts import StageCounts
    from db.monitoring.device_rates import DeviceRate, WorkKey


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What some jobs take."""

    #: Of all GPUs together.
    gpu_hours: float = 0.0
    #: Of repaints in the store.
    disk_bytes: int = 0
    #: The GPU hours at PARAGONE_GPU_PRICE; None without it.
    money: float | None = None


@dataclass(frozen=True, kw_only=True)
class CostOutlook:
    """What the work has taken, and what it will take until all is done."""

    #: Of the jobs that are done: their number times what one takes.
    spent: Cost
    #: Of the jobs that wait, are ready or run.
    left: Cost
    #: Of the price, as it was written; None without a price or a currency.
    currency: str | None
    #: Stage to where the seconds of its jobs are known from: "measured in this campaign ...", "assumed: ...".
    basis: dict[str, str]
    #: Where the bytes of a repaint are known from.
    disk_basis: str


@dataclass(kw_only=True)
class _Total:
    seconds: float = 0.0
    bytes: float = 0.0

    def cost(self, price: GpuPrice | None) -> Cost:
        return priced(self.seconds, self.bytes, price)


class Basis:
    """Where the seconds of each stage are known from, gathered key by key."""

    def __init__(self) -> None:
        #: Of each stage: what was measured, by source and by what it was measured on, and whether some of it is assumed.
        self._measured: dict[Stage, dict[tuple[RateSource, object], int]] = defaultdict(dict)
        self._assumed: set[Stage] = set()

    def add(self, key: WorkKey, rate: DeviceRate) -> None:
        """Some jobs of the key take what the rate says."""
        if rate.source is RateSource.ASSUMED:
            self._assumed.add(key.stage)
        else:
            on = key.batch_key if rate.source is RateSource.CAMPAIGN else key.kind
            self._measured[key.stage][rate.source, on] = rate.jobs

    def texts(self) -> dict[str, str]:
        """Stage to one line, in the order of the stages."""
        return {str(stage): "; ".join(self._parts(stage)) for stage in Stage if stage in self._assumed or stage in self._measured}

    def _parts(self, stage: Stage) -> Iterator[str]:
        for source in RateSource:
            jobs = sum(count for (of, _), count in self._measured.get(stage, {}).items() if of is source)
            if jobs:
                yield f"{source} ({jobs:,} jobs)"
        if stage in self._assumed:
            yield f"{RateSource.ASSUMED}: {assumption_of(stage)}"


def priced(seconds: float, size: float, price: GpuPrice | None) -> Cost:
    """Seconds of GPUs and bytes of repaints as a cost."""
    hours = seconds / 3600
    return Cost(gpu_hours=round(hours, 4), disk_bytes=round(size), money=None if price is None else round(hours * price.amount, 2))


def cost_outlook(connection: Connection, counts: Mapping[int, StageCounts], price: GpuPrice | None = None) -> CostOutlook | None:
    """Of the campaigns with these counts, together; None if they have no job."""
    if not any(sum(states.values()) for stages in counts.values() for states in stages.values()):
        return None
    everywhere = known_keys(connection)
    keys = [key for key in everywhere if key.campaign_id in counts and key.share]
    rates = device_rates(connection, keys, everywhere)
    spent, left, basis, disk = _Total(), _Total(), Basis(), _DiskBasis(connection)
    for key in keys:
        states = counts[key.campaign_id or 0][str(key.stage)]
        done, open_ = (key.share * sum(states.get(str(state), 0) for state in some) for some in ((JobState.DONE,), UNFINISHED_STATES))
        if not done and not open_:
            continue
        rate = rates[key.batch_key]
        made_here = key.parameters["backend"] != IMPORTED
        if made_here:
            basis.add(key, rate)
        each = disk.bytes_of(key) if key.stage is Stage.GENERATE else 0.0
        for total, number in ((spent, done), (left, open_)):
            total.seconds += number * rate.seconds * made_here
            total.bytes += number * each
    currency = (price.currency or None) if price else None
    return CostOutlook(spent=spent.cost(price), left=left.cost(price), currency=currency, basis=basis.texts(), disk_basis=disk.text())


class _DiskBasis:
    """Bytes of a repaint by canvas, each looked up once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, int], tuple[float, str]] = {}

    def bytes_of(self, key: WorkKey) -> float:
        picture = key.parameters["picture"]
        canvas = (picture["format"], picture["size"])
        if canvas not in self._known:
            found = repaint_bytes(self._connection, picture)
            self._known[canvas] = (found.mean, found.basis)
        return self._known[canvas][0]

    def text(self) -> str:
        return "; ".join(dict.fromkeys(basis for _, basis in self._known.values()))
