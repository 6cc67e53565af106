"""A worker in this process: real database, fake stages, backends that do what the test says."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from db.enums import Stage
from db.runtime import Runtime
from db.settings import Settings
from tests.builders import CampaignHarness, harness_of
from tests.integration.db.conftest import database, lasting_postgresql, lasting_sqlite
from tests.integration.workers.scripted import Scripted, scripted
from workers.backends import registry
from workers.batches.batch_recorder import BatchRecorder
from workers.device_lock import DeviceLock
from workers.identity import own_identity
from workers.model_cache import ModelCache
from workers.observers import Observers
from workers.outages import Outages
from workers.stages.fakes import FAKE_STAGE_RUNNERS
from workers.task_events import TaskEventSender
from workers.time_limit import TimeLimit
from workers.wake_ups.app import create_app
from workers.wake_ups.notifier import Notifier
from workers.worker import Worker
from workers.worker_context import BatchRunner, WorkerContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from db.engine import Database
    from workers.observers import WorkObserver
    from workers.tracing.job_tracer import JobTracer


__all__ = ["database", "lasting_postgresql", "lasting_sqlite"]


@dataclass(frozen=True)
class _EntryPoint:
    backend: type[Scripted]

    def load(self) -> type[Scripted]:
        return self.backend


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> dict[str, type[Scripted]]:
    """The installed backends by name, for the test to fill; "plain" is there."""
    installed = {"plain": scripted()}

    def find(*, group: str, name: str) -> list[_EntryPoint]:
        return [_EntryPoint(installed[name])] if group == registry.BACKENDS and name in installed else []

    monkeypatch.setattr(registry, "entry_points", find)
    return installed


@dataclass(kw_only=True)
class WorkerHarness:
    """One database and the workers on it."""

    database: Database
    folder: Path
    stop: threading.Event = field(default_factory=threading.Event)
    device_lock: DeviceLock = field(default_factory=DeviceLock)
    runners: dict[Stage, BatchRunner] = field(default_factory=lambda: dict(FAKE_STAGE_RUNNERS))
    workers: list[Worker] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    observers: list[WorkObserver] = field(default_factory=list)
    tracer: Callable[[BatchRecorder], JobTracer] | None = None

    def worker(
        self,
        *,
        stages: Sequence[Stage] = tuple(Stage),
        broker: str = "memory://",
        clock: Callable[[], float] = time.monotonic,
        **settings: Any,
    ) -> Worker:
        """A worker with these settings, not started: `on_wake_up` makes it work in the caller's thread."""
        lease = settings.get("lease_seconds", 60.0)
        pace = {"heartbeat_seconds": min(5.0, lease / 4), "sweep_seconds": min(3.0, lease / 4)}  # what fits the lease
        runtime = Runtime(Settings(data_dir=self.folder, **{"lease_seconds": lease, "look_seconds": 3600.0, **pace, **settings}))
        runtime.database = self.database
        app = create_app(broker)
        identity = own_identity("cpu", "cpu", host="here")
        observers = Observers(self.observers)
        recorder = BatchRecorder(observers, campaign_name=lambda campaign_id: f"campaign {campaign_id}")
        worker_context = WorkerContext(
            database=self.database,
            store=runtime.store,
            settings=runtime.settings,
            stages=self.runners,
            models=ModelCache(self.database, runtime.settings, device="cpu", observer=observers),
            device_lock=self.device_lock,
            time_limit=TimeLimit(),
            task_events=TaskEventSender(app, hostname=identity.worker_id),
            outages=Outages(),
            stopping=self.stop.is_set,
            recorder=recorder,
            tracer=None if self.tracer is None else self.tracer(recorder),
        )
        worker = Worker(worker_context, identity=identity, stages=stages, notifier=Notifier(app), stop=self.stop, clock=clock)
        self.workers.append(worker)
        return worker

    def harness(self, count: int = 0, *, name: str = "trial", backend: str = "plain", batch: int = 8, **settings: Any) -> CampaignHarness:
        """A planned campaign of one level all of whose stages use one backend."""
        model = {"backend": backend, "batch": batch}
        level = {"only": {**model, "model": "", "steps": 4, "strength": 0.5}}
        recipe: dict[str, Any] = {"caption": {**model, "model": ""}, "prompt": model, "level": level}
        return harness_of(self.database, count, name=name, **(recipe | settings))

    def beside(self, work: Callable[[], None]) -> threading.Thread:
        """Do something in a thread, which is waited for at the end."""
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self.threads.append(thread)
        return thread


@pytest.fixture
def fleet(
    database: Database,  # the fixture of this name
    tmp_path: Path,
    backends: dict[str, type[Scripted]],
) -> Iterator[WorkerHarness]:
    """Workers with fake stages on a database of each kind."""
    fleet = WorkerHarness(database=database, folder=tmp_path)
    yield fleet
    fleet.stop.set()
    for thread in fleet.threads:
        thread.join(20)
        assert not thread.is_alive(), "a thread of the test did not end"


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Until it holds; fails after a while."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
