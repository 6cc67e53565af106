"""A worker that is asked to stop: its leases say so at once, and it ends quickly whatever is away."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from db.engine import Database
from db.enums import Stage
from db.errors import DatabaseUnavailable
from db.jobs.sweep import sweep
from db.monitoring.worker_registry import live_workers
from db.tables import leases
from tests.integration.workers.conftest import WorkerHarness, wait_for
from tests.integration.workers.scripted import Scripted, scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection


Backends = dict[str, type[Scripted]]
CAPTIONS = [Stage.CAPTION]


class FragileDatabase(Database):
    """A database that is away, or that hangs, when the test says so."""

    away = False
    #: Cleared to let every transaction hang.
    answers: threading.Event

    @contextmanager
    def read(self, *given: Any, **named: Any) -> Iterator[Connection]:
        self._fail()
        with super().read(*given, **named) as connection:
            yield connection

    def write(self, *given: Any, **named: Any) -> Any:
        self._fail()
        return super().write(*given, **named)

    def _fail(self) -> None:
        assert self.answers.wait(60)
        if self.away:
            raise DatabaseUnavailable("the database does not answer")


@pytest.fixture
def fragile(fleet: WorkerHarness) -> Iterator[FragileDatabase]:
    """The fleet's database, with a switch."""
    database = FragileDatabase(fleet.database.engine)
    database.answers = threading.Event()
    database.answers.set()
    fleet.database = database
    yield database
    database.away = False
    database.answers.set()


class Painting:
    """A batch that stays on the device until it may go on."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, _: Sequence[Any]) -> None:
        self.begun.set()
        self.go_on.wait(60)


@pytest.fixture
def painting(backends: Backends) -> Iterator[Painting]:
    painting = Painting()
    backends["slow"] = scripted(run=painting)
    yield painting
    painting.go_on.set()


def excused(fleet: WorkerHarness) -> list[bool]:
    return [row["excused"] for row in fleet.harness(backend="slow").rows(leases)]


def test_its_leases_are_marked_at_once_and_it_does_not_wait_for_that(fleet: WorkerHarness, painting: Painting) -> None:
    fleet.harness(3, backend="slow")
    worker = fleet.worker(stages=CAPTIONS)
    fleet.beside(worker.on_wake_up)
    assert painting.begun.wait(30)
    assert excused(fleet) == [False]

    began = time.monotonic()
    worker.begin_stop()

    assert time.monotonic() - began < 5
    assert fleet.stop.is_set()
    wait_for(lambda: excused(fleet) == [True])
    painting.go_on.set()


def test_they_are_marked_as_soon_as_a_database_that_was_away_is_back(
    fleet: WorkerHarness, fragile: FragileDatabase, painting: Painting
) -> None:
    fleet.harness(3, backend="slow")
    worker = fleet.worker(stages=CAPTIONS)
    fleet.beside(worker.on_wake_up)
    assert painting.begun.wait(30)
    fragile.away = True

    worker.begin_stop()
    time.sleep(0.3)
    fragile.away = False

    wait_for(lambda: excused(fleet) == [True])
    painting.go_on.set()


def test_three_stops_that_outlast_the_grace_period_make_no_poison(fleet: WorkerHarness, painting: Painting, backends: Backends) -> None:
    backends["slow"] = scripted(needs_device=False, run=painting)  # all these workers live in one process and share its device
    harness = fleet.harness(1, backend="slow")

    for number in range(4):
        painting.begun.clear()
        fleet.stop.clear()
        worker = fleet.worker(stages=CAPTIONS)
        fleet.beside(worker.on_wake_up)
        assert painting.begun.wait(30)
        worker.begin_stop()
        wait_for(lambda: excused(fleet) == [True])
        # the process ends by force, and its lease runs out
        with harness.database.engine.begin() as connection:
            connection.execute(leases.update().values(expires_at=1.0))
        assert sweep(harness.database, lease_seconds=0.0).returned == 1
        (job,) = harness.jobs(Stage.CAPTION)
        assert (number, job["state"], job["suspect"], job["crashes"]) == (number, "ready", False, 0)


def test_what_is_abandoned_is_ready_at_once_without_a_mark(fleet: WorkerHarness, painting: Painting) -> None:
    harness = fleet.harness(3, backend="slow")
    worker = fleet.worker(stages=CAPTIONS)
    thread = fleet.beside(worker.on_wake_up)
    assert painting.begun.wait(30)
    worker.begin_stop()

    worker.abandon()

    assert harness.states(Stage.CAPTION) == {"ready": 3}
    assert {(row["suspect"], row["crashes"], row["attempt_count"]) for row in harness.jobs(Stage.CAPTION)} == {(False, 0, 0)}
    assert harness.rows(leases) == []
    painting.go_on.set()
    thread.join(30)
    assert harness.states(Stage.CAPTION) == {"ready": 3}, "what it still brings is too late"


@pytest.mark.parametrize("how", ["away", "hangs"])
def test_abandoning_takes_a_few_seconds_at_most(how: str, fleet: WorkerHarness, fragile: FragileDatabase, painting: Painting) -> None:
    fleet.harness(3, backend="slow")
    worker = fleet.worker(stages=CAPTIONS)
    fleet.beside(worker.on_wake_up)
    assert painting.begun.wait(30)
    break_database(fragile, how)

    took = seconds_of(worker.abandon)

    assert took < 15
    mend_database(fragile)
    painting.go_on.set()


@pytest.mark.parametrize("how", ["away", pytest.param("hangs", marks=pytest.mark.slow(reason="waits for what does not answer"))])
def test_an_idle_worker_closes_quickly_while_the_database_is_away(
    how: str, fleet: WorkerHarness, fragile: FragileDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    worker = fleet.worker(look_seconds=0.05, heartbeat_seconds=0.05, sweep_seconds=0.05)
    worker.start()
    wait_for(lambda: worker.leases.is_in_time)
    break_database(fragile, how)
    time.sleep(0.3)

    took = seconds_of(worker.close)

    assert took < 30
    assert not [record for record in caplog.records if record.exc_info]
    mend_database(fragile)


def test_a_worker_with_a_result_in_hand_gives_up_soon(
    fleet: WorkerHarness, fragile: FragileDatabase, painting: Painting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.batches.patience.STOPPING_SECONDS", 0.5)
    harness = fleet.harness(3, backend="slow")
    worker = fleet.worker(stages=CAPTIONS, look_seconds=0.05)
    worker.start()
    assert painting.begun.wait(30)
    fragile.away = True
    painting.go_on.set()
    worker.begin_stop()

    took = seconds_of(worker.close)

    assert took < 30
    fragile.away = False
    assert harness.states(Stage.CAPTION) == {"running": 3}, "it is left to its lease"


def test_closing_waits_for_the_batch_on_the_device(fleet: WorkerHarness, painting: Painting) -> None:
    harness = fleet.harness(3, backend="slow")
    # One thread: two that claim at once may share the jobs, and the second gives its part back.
    worker = fleet.worker(stages=CAPTIONS, look_seconds=0.05, threads=1)
    worker.start()
    assert painting.begun.wait(30)
    threading.Timer(0.5, painting.go_on.set).start()

    worker.close()

    assert harness.states(Stage.CAPTION) == {"done": 3}
    assert live_workers(fleet.database, within_seconds=60) == []


def break_database(fragile: FragileDatabase, how: str) -> None:
    if how == "away":
        fragile.away = True
    else:
        fragile.answers.clear()


def mend_database(fragile: FragileDatabase) -> None:
    fragile.away = False
    fragile.answers.set()


def seconds_of(step: Callable[[], None]) -> float:
    began = time.monotonic()
    step()
    return time.monotonic() - began
