"""Worker processes on a clock that the simulation moves: real schedulers, everything else is arithmetic."""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from db.jobs.batch_keys import Parameters
from db.jobs.claim import BatchCandidate
from workers.scheduling.model_turns import ModelNeed
from workers.scheduling.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from db.enums import Stage

LOOK_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Step:
    """One stage of a simulated campaign."""

    stage: Stage
    #: What must be loaded; None for work without the device.
    model: str | None
    seconds: float
    #: Jobs that each job of the step before it readies.
    fan_out: int = 1


@dataclass(kw_only=True)
class SimulatedCampaign:
    """Artworks that go through the steps."""

    number: int
    artworks: int
    steps: Sequence[Step]
    priority: int = 0
    batch: int = 8
    ready: list[int] = field(init=False)
    undone: int = field(init=False)

    def __post_init__(self) -> None:
        self.ready = [self.artworks, *(0 for _ in self.steps[1:])]
        self.undone = 0
        jobs = self.artworks
        for step in self.steps:
            jobs *= step.fan_out
            self.undone += jobs

    def candidates(self) -> list[tuple[BatchCandidate, int]]:
        """What could be claimed, with the numbers of the steps."""
        return [(self._candidate(step), number) for number, step in enumerate(self.steps) if self.ready[number]]

    def _candidate(self, step: Step) -> BatchCandidate:
        parameters = Parameters(
            backend="", model=step.model or "", revision="", dtype="", batch=self.batch, models_directory="", settings={}, picture={}
        )
        return BatchCandidate(
            batch_key=f"c{self.number}/{step.stage}/{step.model}",
            campaign_id=self.number,
            stage=step.stage,
            parameters=parameters,
            priority=self.priority,
            has_suspects=False,
        )


@dataclass(kw_only=True)
class SimulatedBatch:
    """Some jobs of a step."""

    campaign: SimulatedCampaign
    number: int
    jobs: int
    candidate: BatchCandidate

    @property
    def step(self) -> Step:
        """What is to be done."""
        return self.campaign.steps[self.number]


@dataclass(kw_only=True)
class SimulatedFleet:
    """Worker processes on one database."""

    campaigns: list[SimulatedCampaign] = field(default_factory=list)
    now: float = 1_000_000.0
    #: Seconds that each campaign was served, by its number.
    served: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    #: When each campaign's last job ended.
    finished: dict[int, float] = field(default_factory=dict)
    #: When a batch of each stage and campaign ended first.
    first: dict[tuple[int, Stage], float] = field(default_factory=dict)
    #: When a batch of a key began, by its model.
    began: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    #: When which model was loaded.
    loads: list[tuple[float, str]] = field(default_factory=list)
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def at(self, moment: float, act: Callable[[], None]) -> None:
        """Do something then."""
        heapq.heappush(self._events, (moment, next(self._numbers), act))

    def add(self, campaign: SimulatedCampaign) -> None:
        """A campaign is enqueued."""
        self.campaigns.append(campaign)

    def run(self, seconds: float) -> None:
        """Let so much time pass, or all work end."""
        end = self.now + seconds
        while self._events and self._events[0][0] <= end and any(campaign.undone for campaign in self.campaigns):
            self.now, _, act = heapq.heappop(self._events)
            act()


@dataclass(kw_only=True)
class SimulatedWorker:
    """One process: threads, a device on which some models fit, and a scheduler."""

    fleet: SimulatedFleet
    threads: int = 3
    models_kept: int = 3
    load_seconds: float = 0.0
    starvation_seconds: float = 120.0
    _loaded: list[str] = field(default_factory=list)
    _queue: deque[SimulatedBatch] = field(default_factory=deque)
    _busy: bool = False

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(model_need=self._need, starvation_seconds=self.starvation_seconds, clock=lambda: self.fleet.now)
        for number in range(self.threads):
            self.fleet.at(self.fleet.now + 0.001 * number, self._look)

    def _need(self, candidate: BatchCandidate, under_way: Collection[BatchCandidate]) -> ModelNeed:
        model = candidate.parameters.model or None
        there = {other.parameters.model for other in under_way} - {""}
        for loaded in reversed(self._loaded):
            if len(there | {loaded}) <= self.models_kept:
                there.add(loaded)
        return ModelNeed(model=model, evicts=model is not None and model not in there and len(there) >= self.models_kept)

    def _look(self) -> None:
        batch = self._claim()
        if batch is None:
            self.fleet.at(self.fleet.now + LOOK_SECONDS, self._look)
        elif batch.step.model is None:
            self.fleet.at(self.fleet.now + batch.step.seconds, lambda: self._end(batch, batch.step.seconds))
        else:
            self._queue.append(batch)
            self._start()

    def _claim(self) -> SimulatedBatch | None:
        ready = {one.batch_key: (campaign, number, one) for campaign in self.fleet.campaigns for one, number in campaign.candidates()}
        preferred = self.scheduler.preferred()
        if preferred is not None and preferred.batch_key in ready:
            self.scheduler.note_preferred(preferred)
            return _taken(*ready[preferred.batch_key])
        ranked = self.scheduler.ranked([one for _, _, one in ready.values()])
        if not ranked:
            return None
        self.scheduler.note_chosen(ranked[0])
        return _taken(*ready[ranked[0].batch_key])

    def _start(self) -> None:
        if self._busy or not self._queue:
            return
        self._busy = True
        batch = self._queue.popleft()
        model = batch.step.model or ""
        seconds = batch.step.seconds
        if model in self._loaded:
            self._loaded.remove(model)
        else:
            self._loaded = self._loaded[-(self.models_kept - 1) :] if self.models_kept > 1 else []
            self.fleet.loads.append((self.fleet.now, model))
            seconds += self.load_seconds
        self._loaded.append(model)
        self.fleet.began[model].append(self.fleet.now)
        self.fleet.at(self.fleet.now + seconds, lambda: self._leave(batch, seconds))

    def _leave(self, batch: SimulatedBatch, seconds: float) -> None:
        self._busy = False
        self._end(batch, seconds)
        self._start()

    def _end(self, batch: SimulatedBatch, seconds: float) -> None:
        fleet, campaign = self.fleet, batch.campaign
        self.scheduler.note_finished(batch.candidate.batch_key, seconds)
        fleet.served[campaign.number] += seconds
        fleet.first.setdefault((campaign.number, batch.step.stage), fleet.now)
        campaign.undone -= batch.jobs
        if batch.number + 1 < len(campaign.steps):
            campaign.ready[batch.number + 1] += batch.jobs * campaign.steps[batch.number + 1].fan_out
        if not campaign.undone:
            fleet.finished[campaign.number] = fleet.now
        self._look()


def _taken(campaign: SimulatedCampaign, number: int, candidate: BatchCandidate) -> SimulatedBatch:
    jobs = min(campaign.batch, campaign.ready[number])
    campaign.ready[number] -= jobs
    return SimulatedBatch(campaign=campaign, number=number, jobs=jobs, candidate=candidate)
