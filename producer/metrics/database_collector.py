"""A collector of prometheus_client that reads the database, at most as often as the database can afford."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from db.engine import DBAPIError
from db.enums import AttemptOutcome, JobState
from db.errors import PersistenceError
from db.monitoring.attempt_tally import AttemptTally
from db.monitoring.queue_facts import count_images, read_queue_facts
from producer.metrics import descriptions
from workers.metrics.descriptions import MetricKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from db.monitoring.queue_facts import QueueFacts
    from db.runtime import Runtime
    from workers.metrics.descriptions import MetricDescription

logger = logging.getLogger(__name__)

#: Seconds for which an answer is given again.
KEPT_SECONDS = 5.0
#: The database is read for at most this share of the time: what took two seconds is given for twenty.
READING_SHARE = 0.1
#: Seconds for which a count of images is kept.
IMAGES_SECONDS = 60.0

#: Label values to value.
Samples = dict[tuple[str, ...], float]


class DatabaseCollector:
    """Everything of `DATABASE_METRICS`; `paragone_up` 0 alone while the database is away."""

    def __init__(self, runtime: Runtime, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime = runtime
        self._clock = clock
        self._tally = AttemptTally()
        self._lock = threading.Lock()
        self._families: list[Any] = []
        self._kept_until = float("-inf")
        self._images: dict[int, int] = {}
        self._images_until = float("-inf")
        self._is_away = False

    def describe(self) -> list[Any]:
        """The names are not asked of the database when the collector is registered."""
        return []

    def collect(self) -> Iterable[Any]:
        """The metrics, of now or of a moment ago."""
        with self._lock:
            if self._clock() >= self._kept_until:
                began = self._clock()
                self._families = list(self._read())
                took = self._clock() - began
                self._kept_until = self._clock() + max(KEPT_SECONDS, took / READING_SHARE)
            return list(self._families)

    def _read(self) -> Iterator[Any]:
        began = self._clock()
        try:
            database = self._runtime.database
            facts = read_queue_facts(database, workers_within=self._runtime.settings.alive_within_seconds, tally=self._tally)
            if began >= self._images_until:
                self._images = count_images(database)
                self._images_until = began + IMAGES_SECONDS
        except (PersistenceError, DBAPIError) as error:
            self._note_away(error)
            yield _family(descriptions.UP, {(): 0.0})
            return
        self._note_back()
        values = _values(facts, self._tally, self._images) | {
            descriptions.UP: {(): 1.0},
            descriptions.READ_SECONDS: {(): self._clock() - began},
        }
        for description in descriptions.DATABASE_METRICS:
            yield _family(description, values[description])

    def _note_back(self) -> None:
        if self._is_away:
            logger.warning("the database is back")
        self._is_away = False

    def _note_away(self, error: Exception) -> None:
        if not self._is_away:
            logger.warning("nothing can be told of the queue: %s", " ".join(str(error).split()))
        self._is_away = True


def _values(facts: QueueFacts, tally: AttemptTally, images: Mapping[int, int]) -> dict[MetricDescription, Samples]:
    name = facts.campaigns
    # A stage of a campaign without jobs has no series; all others have one for each state, so that none vanishes when it is empty.
    planned = {(one, stage): states for one, stages in facts.jobs.items() for stage, states in stages.items() if states}
    done: Samples = {(name[one], stage): 0.0 for one, stage in planned}
    failed: Samples = {}
    for ended, count in tally.totals.items():
        campaign = name.get(ended.campaign_id, str(ended.campaign_id))
        if ended.outcome == AttemptOutcome.DONE:
            done[campaign, ended.stage] = done.get((campaign, ended.stage), 0.0) + count
        else:
            kind = ended.kind or str(ended.outcome)
            failed[campaign, ended.stage, kind] = failed.get((campaign, ended.stage, kind), 0.0) + count
    return {
        descriptions.JOBS: {
            (name[one], stage, str(state)): states.get(str(state), 0) for (one, stage), states in planned.items() for state in JobState
        },
        descriptions.OLDEST_READY: {(name[one], stage): age for (one, stage), age in facts.oldest_ready.items() if one in name},
        descriptions.STAGE_PAUSED: {(name[one], stage): float(paused) for (one, stage), paused in facts.paused.items() if one in name},
        descriptions.JOBS_DONE: done,
        descriptions.ATTEMPTS_FAILED: failed,
        descriptions.FAILED_JOBS: {(name[one], kind): count for (one, kind), count in facts.failed.items() if one in name},
        descriptions.LEASES: {(): facts.leases.held},
        descriptions.LEASES_ON_DEVICE: {(): facts.leases.on_device},
        descriptions.LEASES_EXPIRED: {(): facts.leases.expired},
        descriptions.IMAGES: {(label,): images.get(one, 0) for one, label in name.items()},
        **_of_workers(facts),
    }


def _of_workers(facts: QueueFacts) -> dict[MetricDescription, Samples]:
    alive: Counter[tuple[str, ...]] = Counter()
    threads: Counter[tuple[str, ...]] = Counter()
    troubled: Counter[tuple[str, ...]] = Counter()
    for worker in facts.workers:
        where = (worker.host, worker.device)
        alive[where] += 1
        threads[where] += worker.threads
        troubled[where] += worker.trouble is not None
    return {
        descriptions.WORKERS: dict(alive),
        descriptions.WORKER_THREADS: dict(threads),
        descriptions.WORKERS_IN_TROUBLE: dict(troubled),
    }


def _family(description: MetricDescription, samples: Samples) -> Any:
    kind = CounterMetricFamily if description.kind is MetricKind.COUNTER else GaugeMetricFamily
    family = kind(description.name, description.help, labels=description.labels)
    for labels, value in samples.items():
        family.add_metric(labels, float(value))
    return family
