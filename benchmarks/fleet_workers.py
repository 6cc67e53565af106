"""One process of simulated workers: the product's `Worker` with its claims, heartbeats, sweeps and commits, and a device that only waits.

Started by fleet.py, which reads one JSON document from its standard output. Each worker has one thread that claims, computes and commits;
heartbeats and sweeps of all are run at their times by a few threads. Nothing is sent to a broker: wake-ups are decided on as ever, and
then dropped.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import SecretStr
from sqlalchemy import create_engine, event

from db.engine import Database
from db.engine.limits import TIMEOUT_SECONDS
from db.engine.postgresql import open_connection
from db.engine.url import parse_url
from db.enums import Stage
from db.errors import DatabaseUnavailable
from db.jobs.complete import CompletedBatch
from db.monitoring.worker_registry import register_worker
from db.runtime import Runtime
from db.settings import Settings
from workers.device_lock import DeviceLock
from workers.identity import Identity
from workers.model_cache import ModelCache
from workers.outages import Outages
from workers.stages.fakes import FAKE_STAGE_RUNNERS
from workers.task_events import TaskEventSender
from workers.time_limit import TimeLimit
from workers.wake_ups.app import create_app
from workers.wake_ups.notifier import Notifier
from workers.worker import Worker
from workers.worker_context import WorkerContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

T = TypeVar("T")

#: Transactions whose every duration is reported, by what the product calls them; of the others the number and the sum.
CLAIM, COMMIT = "_claim.<locals>.take_at_once", "complete_batch.<locals>.commit"
#: Threads that run heartbeats and sweeps of all workers of the process.
BESIDE = 24
#: Bytes of a thread's stack: there are hundreds.
STACK = 512 * 1024
WORKERS_PER_HOST = 8


class Measurements:
    """What happened between two moments."""

    def __init__(self, begin: float, end: float) -> None:
        self.begin, self.end = begin, end
        self._lock = threading.Lock()
        self.jobs = 0
        self.durations: dict[str, list[float]] = defaultdict(list)
        self.errors: dict[str, int] = defaultdict(int)
        self.late: list[float] = []

    def note(self, name: str, seconds: float, jobs: int = 0) -> None:
        """A transaction or query took so long and finished so many jobs."""
        if self.begin <= time.time() < self.end:
            with self._lock:
                self.jobs += jobs
                self.durations[name].append(seconds)

    def note_error(self, error: Exception) -> None:
        """Something went wrong."""
        if time.time() < self.end:
            with self._lock:
                self.errors[f"{type(error).__name__}: {error}".splitlines()[0][:160]] += 1

    def note_late(self, seconds: float) -> None:
        """A heartbeat or a sweep began so long after its time."""
        if self.begin <= time.time() < self.end:
            with self._lock:
                self.late.append(seconds)

    def report(self) -> dict[str, Any]:
        """As JSON."""
        with self._lock:
            raw = {name: [round(one, 6) for one in self.durations.get(name, [])] for name in (CLAIM, COMMIT)}
            sums = {name: [len(some), round(sum(some), 3)] for name, some in self.durations.items()}
            return {"jobs": self.jobs, "raw": raw, "sums": sums, "errors": dict(self.errors), "late": self.late, "cpu": time.process_time()}


class MeasuredDatabase(Database):
    """A database that tells the measurements how long each transaction took, by the name of the function that does it."""

    def __init__(self, engine: Engine, tally: Measurements) -> None:
        super().__init__(engine)
        self._tally = tally

    @contextmanager
    def read(self, *, timeout_seconds: float | None = None) -> Iterator[Connection]:
        """As ever."""
        began = time.perf_counter()
        with super().read(timeout_seconds=timeout_seconds) as connection:
            yield connection
        self._tally.note("read", time.perf_counter() - began)

    def write(self, transaction: Callable[[Connection], T], *, single_statement: bool = False, timeout_seconds: float | None = None) -> T:
        """As ever."""
        began = time.perf_counter()
        result = super().write(transaction, single_statement=single_statement, timeout_seconds=timeout_seconds)
        done = len(result.done) if isinstance(result, CompletedBatch) else 0
        self._tally.note(transaction.__qualname__, time.perf_counter() - began, done)
        return result


class SilentNotifier(Notifier):
    """Decides as ever whom to wake, and sends nothing."""

    def _wake(self, wanted: dict[Stage, int]) -> int:
        return len(wanted)


class SilentEvents(TaskEventSender):
    """Keeps no event: none is sent to Flower."""

    def received(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    def started(self, *_: Any, **__: Any) -> float:
        """Nothing; the moment, as ever."""
        return time.time()

    def succeeded(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    def failed(self, *_: Any, **__: Any) -> None:
        """Nothing."""


def engine_of(url: str, *, connections: int, pooled: bool) -> Engine:
    """An engine whose connections take turns, so that each is used as rarely as that of a worker of its own.

    Pooled, nothing is prepared on the server, as the product does behind a pooler.
    """
    engine = create_engine(
        parse_url(url), pool_size=connections, max_overflow=0, pool_timeout=TIMEOUT_SECONDS, pool_use_lifo=False, use_native_hstore=False
    )

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> Any:
        connection = open_connection(*arguments, limit_seconds=TIMEOUT_SECONDS, **parameters)
        if pooled:
            connection.prepare_threshold = None
        return connection

    return engine


def open_all(engine: Engine, connections: int) -> None:
    """Open all connections at once: workers of their own would hold them."""
    held = [engine.connect() for _ in range(connections)]
    for connection in held:
        connection.close()


class SimulatedWorkers:
    """Some workers of one process."""

    def __init__(self, given: argparse.Namespace, tally: Measurements, stop: threading.Event) -> None:
        self._tally, self._stop = tally, stop
        settings = Settings(data_dir=Path(given.folder), database_url=SecretStr(given.url), threads=1)
        engine = engine_of(given.url, connections=given.connections, pooled=given.pooled)
        open_all(engine, given.connections)
        self.database = MeasuredDatabase(engine, tally)
        self._settings = settings
        self._app = create_app("memory://")
        self._store = Runtime(settings).store
        self._models = ModelCache(self.database, settings, device="cpu")
        self._time_limit = TimeLimit()
        self.workers = [self._worker(given.first + number) for number in range(given.workers)]
        for worker in self.workers:
            register_worker(self.database, stages=worker.stages, threads=settings.threads, **worker.identity.facts())
        self._random = random.Random(given.first)

    def start(self, ramp_seconds: float) -> None:
        """Begin one worker after the other over so many seconds."""
        beside = ThreadPoolExecutor(max_workers=BESIDE)
        starts = [self._random.uniform(0, ramp_seconds) for _ in self.workers]
        for worker, wait in zip(self.workers, starts, strict=True):
            threading.Thread(target=self._work, args=(worker, wait), daemon=True).start()
        threading.Thread(target=self._keep_time, args=(starts, beside), daemon=True).start()

    def _worker(self, number: int) -> Worker:
        host = f"host{number // WORKERS_PER_HOST}"
        identity = Identity(worker_id=f"gpu{number}@{host}", host=host, pid=number, device="cuda", versions={"paragone": "0"})
        context = WorkerContext(
            database=self.database,
            store=self._store,
            settings=self._settings,
            stages=FAKE_STAGE_RUNNERS,
            models=self._models,
            device_lock=DeviceLock(),
            time_limit=self._time_limit,
            task_events=SilentEvents(self._app, hostname=identity.worker_id),
            outages=Outages(),
            stopping=self._stop.is_set,
        )
        return Worker(context, identity=identity, stages=list(Stage), notifier=SilentNotifier(self._app), stop=self._stop)

    def _work(self, worker: Worker, wait: float) -> None:
        time.sleep(wait)
        pause = random.Random(worker.identity.worker_id)
        while not self._stop.is_set():
            self._guarded(worker.look)  # claims and works until nothing is left
            self._stop.wait(self._settings.look_seconds * pause.uniform(0.8, 1.2))

    def _keep_time(self, starts: list[float], beside: ThreadPoolExecutor) -> None:
        """Heartbeats and sweeps of all workers, each at its time."""
        settings, numbers, began = self._settings, count(), time.monotonic()
        due: list[tuple[float, int, float, Callable[[], object]]] = []
        for worker, start in zip(self.workers, starts, strict=True):
            beats: list[tuple[float, Callable[[], object]]] = [
                (settings.heartbeat_seconds, worker.leases.beat),
                (settings.sweep_seconds, worker.rescuer.sweep),
            ]
            for seconds, beat in beats:
                heapq.heappush(due, (began + start, next(numbers), seconds, beat))
        while not self._stop.is_set():
            moment, _, seconds, beat = heapq.heappop(due)
            time.sleep(max(0.0, moment - time.monotonic()))
            beside.submit(self._beat, moment, beat)
            heapq.heappush(due, (moment + seconds * self._random.uniform(0.8, 1.2), next(numbers), seconds, beat))

    def _beat(self, moment: float, beat: Callable[[], object]) -> None:
        self._tally.note_late(time.monotonic() - moment)
        self._guarded(beat)

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except DatabaseUnavailable as error:
            self._tally.note_error(error)
        except Exception as error:  # noqa: BLE001  # reported with the results
            self._tally.note_error(error)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--first", type=int, required=True, help="number of the first worker")
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--connections", type=int, required=True, help="of all workers of this process together")
    parser.add_argument("--pooled", action="store_true")
    parser.add_argument("--ramp", type=float, required=True, help="seconds over which workers begin")
    parser.add_argument("--warm-up", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    threading.stack_size(STACK)
    stop, tally = threading.Event(), Measurements(float("inf"), float("inf"))
    fleet = SimulatedWorkers(given, tally, stop)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    begin = float(sys.stdin.readline())  # all processes begin together
    tally.begin, tally.end = begin + given.warm_up, begin + given.warm_up + given.seconds
    time.sleep(max(0.0, begin - time.time()))
    fleet.start(given.ramp)
    time.sleep(max(0.0, tally.begin - time.time()))
    cpu = time.process_time()
    time.sleep(max(0.0, tally.end - time.time()))
    report = tally.report()
    report["cpu"] -= cpu
    stop.set()
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
    # Batches under way are left to fleet.py, which puts them back: waiting for them would take seconds after each step.
    sys.stdout.flush()
    import os

    os._exit(0)
