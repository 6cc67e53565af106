from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import OperationalError

import workers.idleness as idling
from db.enums import FailureKind, Stage
from tests.builders import artworks_of
from tests.integration.workers.scripted import Scripted, scripted
from workers.backends.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.workers.conftest import WorkerHarness
    from workers.worker import Worker

Backends = dict[str, type[Scripted]]


@pytest.fixture(autouse=True)
def _short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idling, "IDLE_LOOK_SECONDS", 0.05)


def ends(fleet: WorkerHarness, worker: Worker, seconds: float) -> bool:
    """Whether it is idle within so many seconds; it is stopped if not."""
    thread = threading.Thread(target=worker.idleness.wait, args=(fleet.stop,), daemon=True)
    thread.start()
    thread.join(seconds)
    ended = not thread.is_alive()
    fleet.stop.set()
    thread.join(10)
    fleet.stop.clear()
    return ended


def absent(_: Any) -> str:
    raise ModelUnavailable("hub/one: the hub does not answer")


def test_a_worker_is_idle_when_everything_is_done(fleet: WorkerHarness) -> None:
    fleet.harness(2)
    worker = fleet.worker()
    assert not ends(fleet, worker, 0.3)

    worker.on_wake_up()

    assert ends(fleet, worker, 20)


def test_until_idle_waits_for_jobs_that_another_worker_runs(fleet: WorkerHarness) -> None:
    harness = fleet.harness(1)
    batch = harness.claim(Stage.CAPTION, worker="other")
    worker = fleet.worker(stages=[Stage.CAPTION])

    assert not ends(fleet, worker, 0.3)
    harness.finish(batch)
    assert ends(fleet, worker, 20)


def test_a_job_that_backs_off_counts_as_work_and_a_failed_one_does_not(fleet: WorkerHarness) -> None:
    harness = fleet.harness(1)
    worker = fleet.worker()
    harness.fail(harness.claim(Stage.CAPTION), FailureKind.TRANSIENT)
    assert not ends(fleet, worker, 0.3)

    harness.skip_retry_delays()
    harness.fail(harness.claim(Stage.CAPTION), FailureKind.INPUT)

    assert ends(fleet, worker, 20)


def test_a_worker_waits_for_what_others_must_do_before_it_but_not_after_it(fleet: WorkerHarness) -> None:
    fleet.harness(2)
    later, earlier = fleet.worker(stages=[Stage.PROMPT]), fleet.worker(stages=[Stage.CAPTION])
    assert not ends(fleet, later, 0.3)

    earlier.on_wake_up()

    assert ends(fleet, earlier, 20)
    assert not ends(fleet, later, 0.3)


def test_a_worker_all_of_whose_models_are_absent_is_idle(fleet: WorkerHarness, backends: Backends) -> None:
    backends["absent"] = scripted(load=absent)
    fleet.harness(2, backend="absent")
    worker = fleet.worker()

    worker.on_wake_up()

    assert ends(fleet, worker, 20)
    assert worker.scheduler.troubles == ["hub/one: the hub does not answer"]


def test_an_absent_model_does_not_end_the_work_on_others(fleet: WorkerHarness, backends: Backends) -> None:
    backends["absent"] = scripted(load=absent)
    artworks_of(fleet.database, 1)
    fleet.harness(name="without", backend="absent")
    worker = fleet.worker()
    worker.on_wake_up()

    fleet.harness(name="sound")
    assert not ends(fleet, worker, 0.3)
    worker.on_wake_up()

    assert ends(fleet, worker, 20)


def test_beside_an_absent_model_a_job_that_backs_off_is_waited_for(fleet: WorkerHarness, backends: Backends) -> None:
    artworks_of(fleet.database, 1)
    sound = fleet.harness(name="sound")
    sound.fail(sound.claim(Stage.CAPTION), FailureKind.TRANSIENT)
    backends["absent"] = scripted(load=absent)
    fleet.harness(name="without", backend="absent")
    worker = fleet.worker(stages=[Stage.CAPTION])

    worker.on_wake_up()

    assert worker.scheduler.troubles
    assert not ends(fleet, worker, 0.5)


def test_with_an_absent_model_work_of_later_stages_that_it_does_not_serve_is_not_waited_for(
    fleet: WorkerHarness, backends: Backends
) -> None:
    artworks_of(fleet.database, 1)
    sound = fleet.harness(name="sound")
    sound.run(Stage.CAPTION)
    backends["absent"] = scripted(load=absent)
    fleet.harness(name="without", backend="absent")
    worker = fleet.worker(stages=[Stage.CAPTION])

    worker.on_wake_up()

    assert sound.states(Stage.PROMPT) == {"ready": 1}
    assert ends(fleet, worker, 20)


def test_a_batch_under_way_is_work(fleet: WorkerHarness, backends: Backends) -> None:
    go_on = threading.Event()

    def run(batch: Sequence[Any]) -> None:
        go_on.wait(30)

    backends["slow"] = scripted(run=run)
    fleet.harness(1, backend="slow")
    worker = fleet.worker(stages=[Stage.CAPTION])
    thread = fleet.beside(worker.on_wake_up)
    time.sleep(0.1)
    # Not `ends`: the worker must not be stopped.
    idle = fleet.beside(lambda: worker.idleness.wait(fleet.stop))
    idle.join(0.3)
    assert idle.is_alive()

    go_on.set()

    idle.join(20)
    assert not idle.is_alive()
    thread.join(20)


def test_a_database_that_is_away_is_no_reason_to_end(fleet: WorkerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = fleet.worker()

    def away(*_: Any, **__: Any) -> bool:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    with monkeypatch.context() as patched:
        patched.setattr(idling, "work_left", away)
        assert not ends(fleet, worker, 0.3)

    assert ends(fleet, worker, 20)
