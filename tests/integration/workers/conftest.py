"""A worker in this process: real database, fake stages, backends that do what the test says."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from db.house import House
from db.settings import Settings
from db.vocabulary import Stage
from tests.builders import Trial, trial_of
from tests.integration.db.conftest import database, lasting_postgresql, lasting_sqlite
from tests.integration.workers.scripted import Scripted, scripted
from workers import shelf as shelves
from workers.announcer import Announcer
from workers.app import create_app
from workers.batch_run import Surroundings
from workers.bell import Bell
from workers.budget import Budget
from workers.identity import own_identity
from workers.shelf import Shelf
from workers.stages import STAGES
from workers.stages.fakes import FAKE_STAGES
from workers.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Engine

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
        assert group == "paragone.backends"
        return [_EntryPoint(installed[name])] if name in installed else []

    monkeypatch.setattr(shelves, "entry_points", find)
    return installed


@dataclass(kw_only=True)
class Workshop:
    """One database and whoever works on it."""

    engine: Engine
    folder: Path
    stop: threading.Event = field(default_factory=threading.Event)
    device_lock: threading.Lock = field(default_factory=threading.Lock)
    workers: list[Worker] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def worker(self, *, stages: Sequence[Stage] = tuple(Stage), broker: str = "memory://", **settings: Any) -> Worker:
        """A worker with these settings, not started: `answer_ring` makes it work in the caller's thread."""
        house = House(Settings(data_dir=self.folder, **{"lease_seconds": 60.0, "look_seconds": 3600.0, **settings}))
        house.engine = self.engine
        app = create_app(broker)
        identity = own_identity("cpu", "cpu")
        around = Surroundings(
            engine=self.engine,
            store=house.store,
            settings=house.settings,
            shelf=Shelf(self.engine, house.settings, device="cpu"),
            device_lock=self.device_lock,
            budget=Budget(),
            announcer=Announcer(app, hostname=identity.worker_id),
            stopping=self.stop.is_set,
        )
        worker = Worker(house, around, identity=identity, stages=stages, bell=Bell(app), stop=self.stop)
        self.workers.append(worker)
        return worker

    def trial(self, count: int = 0, *, name: str = "trial", backend: str = "plain", batch: int = 8, **settings: Any) -> Trial:
        """A planned campaign of one level all of whose stages use one backend."""
        model = {"backend": backend, "batch": batch}
        level = {"only": {**model, "model": "", "steps": 4, "strength": 0.5}}
        recipe: dict[str, Any] = {"caption": {**model, "model": ""}, "prompt": model, "level": level}
        return trial_of(self.engine, count, name=name, **(recipe | settings))

    def beside(self, work: Callable[[], None]) -> threading.Thread:
        """Do something in a thread, which is waited for at the end."""
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self.threads.append(thread)
        return thread


@pytest.fixture
def workshop(
    database: Engine,  # the fixture of this name
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    backends: dict[str, type[Scripted]],
) -> Iterator[Workshop]:
    """A workshop with fake stages on a database of each kind."""
    for stage, fake in FAKE_STAGES.items():
        monkeypatch.setitem(STAGES, stage, fake)
    workshop = Workshop(engine=database, folder=tmp_path)
    yield workshop
    workshop.stop.set()
    for thread in workshop.threads:
        thread.join(20)
        assert not thread.is_alive(), "a thread of the test did not end"


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Until it holds; fails after a while."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
