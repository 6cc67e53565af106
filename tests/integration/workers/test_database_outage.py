"""The database goes away under a worker: its threads say nothing, nothing is lost, and it works on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from db.enums import Stage
from tests.integration.workers.conftest import WorkerHarness, wait_for
from tests.integration.workers.scripted import Scripted, scripted
from tests.integration.workers.test_stopping import FragileDatabase, fragile
from workers.idleness import IdleWatch

if TYPE_CHECKING:
    import pytest

Backends = dict[str, type[Scripted]]
__all__ = ["fragile"]


def test_a_worker_whose_database_is_away_fills_no_log_and_goes_on_when_it_is_back(
    fleet: WorkerHarness, fragile: FragileDatabase, backends: Backends, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a worker in the middle of its work, all of whose threads beat many times a second
    backends["slow"] = scripted(run=lambda _: time.sleep(0.02))
    harness = fleet.harness(40, batch=2, backend="slow")
    worker = fleet.worker(look_seconds=0.02, heartbeat_seconds=0.02, sweep_seconds=0.02)
    worker.start()
    try:
        wait_for(lambda: harness.states(Stage.CAPTION).get("done", 0) > 4)

        # When the database is away for a while
        fragile.away = True
        time.sleep(2.0)
        fragile.away = False

        # Then the worker has said nothing (the database itself does), all is done, and nothing was done twice or lost
        wait_for(lambda: harness.counts() == {str(stage): {"done": 40} for stage in Stage}, seconds=60)
    finally:
        worker.close()
    assert [record for record in caplog.records if record.name.startswith("workers") and record.exc_info] == []
    assert len([record for record in caplog.records if record.name.startswith("workers")]) <= 1
    assert harness.outcomes() == {"done": 160}


def test_a_thread_that_was_woken_while_the_database_is_away_comes_back(
    fleet: WorkerHarness, fragile: FragileDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    harness = fleet.harness(3)
    worker = fleet.worker()
    fragile.away = True

    worker.on_wake_up()
    worker.look()

    fragile.away = False
    assert caplog.records == []
    assert not worker.slots.any_taken()
    worker.on_wake_up()
    assert harness.counts() == {str(stage): {"done": 3} for stage in Stage}


def test_a_worker_that_ends_when_idle_does_not_end_for_a_database_that_is_away(
    fleet: WorkerHarness, fragile: FragileDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = fleet.worker().scheduler
    watch = IdleWatch(fragile, stages=list(Stage), scheduler=scheduler, is_busy=lambda: False)
    fragile.away = True
    thread = fleet.beside(lambda: watch.wait(fleet.stop))
    time.sleep(1.5)
    assert thread.is_alive()
    assert not watch.work_is_left(), "no trouble, nothing that it keeps the worker from"
    scheduler.note_broken("key", "no such model")
    assert watch.work_is_left(), "nobody can say that there is none"

    fragile.away = False
    thread.join(30)
    assert not thread.is_alive()
    assert caplog.records == []
