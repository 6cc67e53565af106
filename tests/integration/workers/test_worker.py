from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import workers.scheduling.claimer as claiming
from db.enums import JobState, Stage
from db.jobs.claim import claim_batch
from db.jobs.sweep import sweep
from db.tables import attempts, leases
from tests.integration.workers.conftest import WorkerHarness, wait_for
from tests.integration.workers.scripted import Scripted, scripted
from workers.backends.errors import OutOfMemory
from workers.batches.batch_run import StageRunner
from workers.stages.fakes import FakeCaptionStage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from db.jobs.claim import Batch
    from db.jobs.inputs import CaptionInput
    from workers.backends.settings.base import BackendSettings
    from workers.stages import PreparedJob, StageContext

Backends = dict[str, type[Scripted]]
#: A campaign of captions only, as far as these workers serve it.
CAPTIONS = [Stage.CAPTION]


def holding(go_on: threading.Event) -> Callable[[Sequence[Any]], None]:
    """A batch that stays on the device until it may go on."""

    def run(_: Sequence[Any]) -> None:
        go_on.wait(30)

    return run


def test_one_wake_up_is_enough_for_everything_there_is(fleet: WorkerHarness, backends: Backends) -> None:
    harness = fleet.harness(5, batch=2)

    fleet.worker().on_wake_up()

    assert harness.counts() == {str(stage): {"done": 5} for stage in Stage}
    assert harness.rows(leases) == []
    assert {row["attempt_count"] for stage in Stage for row in harness.jobs(stage)} == {1}
    assert {len(batch) for batch in backends["plain"].batches} == {1, 2}
    assert backends["plain"].log == ["load "]


def test_a_worker_takes_its_own_stages_only(fleet: WorkerHarness) -> None:
    harness = fleet.harness(3)

    fleet.worker(stages=CAPTIONS).on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 3}
    assert harness.states(Stage.PROMPT) == {"ready": 3}


def test_a_batch_that_waits_for_the_device_is_released_when_the_worker_stops(fleet: WorkerHarness, backends: Backends) -> None:
    harness = fleet.harness(3)
    worker = fleet.worker()
    with fleet.device_lock:
        thread = fleet.beside(worker.on_wake_up)
        wait_for(lambda: harness.states(Stage.CAPTION) == {"running": 3})

        fleet.stop.set()
        thread.join(10)

        assert harness.states(Stage.CAPTION) == {"ready": 3}
    assert harness.rows(leases) == []
    assert harness.rows(attempts) == []
    assert backends["plain"].batches == []


def test_a_batch_on_the_device_is_finished_when_the_worker_stops(fleet: WorkerHarness, backends: Backends) -> None:
    backends["slow"] = scripted(run=lambda _: fleet.stop.set())
    harness = fleet.harness(3, backend="slow", batch=2)

    fleet.worker().on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 2, "ready": 1}
    assert len(backends["slow"].batches) == 1


def test_a_batch_that_was_taken_over_meanwhile_does_not_start_on_the_device(
    fleet: WorkerHarness, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = fleet.harness(1)

    class Slept(FakeCaptionStage):
        def prepare(self, job: CaptionInput, context: StageContext[BackendSettings]) -> PreparedJob[CaptionInput, CaptionInput]:
            # Given a worker that sleeps past its lease while it prepares, and another that takes its job over
            mine = harness.rows(leases)[0]["token"]
            lost.append(mine)
            with harness.database.engine.begin() as connection:
                connection.execute(leases.update().values(expires_at=1.0))
            sweep(harness.database, lease_seconds=0.0)
            taken.append(harness.claim(Stage.CAPTION, worker="other"))
            fleet.stop.set()
            return super().prepare(job, context)

    lost: list[str] = []
    taken: list[Batch] = []
    fleet.runners[Stage.CAPTION] = StageRunner(Slept())

    # An unstopped worker, so that only the lease keeps it from the device
    worker = fleet.worker()
    worker._context = replace(worker._context, stopping=lambda: False)
    worker.on_wake_up()

    assert backends["plain"].batches == []
    assert [row["token"] for row in harness.rows(leases)] == [taken[0].token]
    assert harness.finish(taken[0]).done == {taken[0].jobs[0].job_id}
    assert harness.outcomes() == {"lost": 1, "done": 1}


def test_only_what_a_thread_is_at_work_on_is_renewed(fleet: WorkerHarness, backends: Backends) -> None:
    go_on = threading.Event()
    backends["slow"] = scripted(run=holding(go_on))
    harness = fleet.harness(2, backend="slow", batch=1)
    worker = fleet.worker(stages=CAPTIONS, lease_seconds=500.0)
    dropped = harness.claim(Stage.CAPTION, limit=1, worker=worker.identity.worker_id, lease_seconds=100.0)
    thread = fleet.beside(worker.on_wake_up)
    wait_for(lambda: len(backends["slow"].batches) == 1)
    before = {row["token"]: row["expires_at"] for row in harness.rows(leases)}
    assert len(before) == 2
    time.sleep(0.05)

    worker.leases.beat()

    after = {row["token"]: row["expires_at"] for row in harness.rows(leases)}
    assert after[dropped.token] == before[dropped.token]
    assert {token for token in after if after[token] > before[token]} == set(after) - {dropped.token}
    go_on.set()
    thread.join(20)
    assert worker.leases.held == []


def test_the_batch_size_found_by_running_out_of_memory_is_used_from_then_on(
    fleet: WorkerHarness, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed: list[int] = []

    def watched(*args: Any, **given: Any) -> Batch | None:
        batch = claim_batch(*args, **given)
        claimed.extend([len(batch.jobs)] if batch else [])
        return batch

    def run(batch: Sequence[Any]) -> None:
        if len(batch) > 3:
            raise OutOfMemory("full")

    monkeypatch.setattr(claiming, "claim_batch", watched)
    backends["small"] = scripted(run=run)
    harness = fleet.harness(13, backend="small", batch=8)

    fleet.worker(stages=CAPTIONS).on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 13}
    assert claimed == [8, 2, 2, 1]
    assert [len(batch) for batch in backends["small"].batches] == [8, 4, 2, 2, 2, 2, 2, 2, 1]
    assert harness.outcomes() == {"done": 13}
    assert {row["batch_size"] for row in harness.rows(attempts)} == {2, 1}


def test_one_bad_job_harms_no_mate(fleet: WorkerHarness, backends: Backends) -> None:
    def run(batch: Sequence[CaptionInput]) -> None:
        if any(job.key.endswith("00003") for job in batch):
            raise ValueError("this original breaks the model")

    backends["touchy"] = scripted(run=run)
    harness = fleet.harness(8, backend="touchy")

    fleet.worker(stages=CAPTIONS).on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 7, "ready": 1}
    (guilty,) = harness.jobs(Stage.CAPTION, JobState.READY)
    assert guilty["error_text"] == "ValueError: this original breaks the model"


def test_never_more_threads_work_than_the_settings_allow(fleet: WorkerHarness, backends: Backends) -> None:
    backends["light"] = scripted(needs_device=False, run=lambda _: time.sleep(0.02))
    harness = fleet.harness(24, backend="light", batch=1)
    worker = fleet.worker(stages=CAPTIONS, threads=2)

    threads = [fleet.beside(worker.on_wake_up) for _ in range(6)]
    for thread in threads:
        thread.join(30)

    assert harness.states(Stage.CAPTION) == {"done": 24}
    assert backends["light"].together == 2


def test_only_one_batch_at_a_time_computes_on_the_device(fleet: WorkerHarness, backends: Backends) -> None:
    backends["heavy"] = scripted(run=lambda _: time.sleep(0.02))
    harness = fleet.harness(12, backend="heavy", batch=1)
    worker = fleet.worker(stages=CAPTIONS, threads=3)

    for thread in [fleet.beside(worker.on_wake_up) for _ in range(3)]:
        thread.join(30)

    assert harness.states(Stage.CAPTION) == {"done": 12}
    assert backends["heavy"].together == 1


def test_a_backend_without_a_device_does_not_wait_for_the_device(fleet: WorkerHarness, backends: Backends) -> None:
    backends["light"] = scripted(needs_device=False)
    harness = fleet.harness(3, backend="light")

    with fleet.device_lock:
        fleet.beside(fleet.worker().on_wake_up).join(20)

        assert harness.counts() == {str(stage): {"done": 3} for stage in Stage}


def test_a_wake_up_waits_for_a_free_thread_and_then_finds_what_is_new(fleet: WorkerHarness, backends: Backends) -> None:
    go_on = threading.Event()
    backends["slow"] = scripted(run=holding(go_on))
    harness = fleet.harness(1, backend="slow")
    worker = fleet.worker(stages=CAPTIONS, threads=1)
    busy = fleet.beside(worker.on_wake_up)
    wait_for(lambda: len(backends["slow"].batches) == 1)

    waiting = fleet.beside(worker.on_wake_up)
    worker.look()  # a look does not wait: it finds the slot taken and comes back later
    time.sleep(0.1)
    assert waiting.is_alive()

    go_on.set()
    busy.join(20)
    waiting.join(20)
    assert not waiting.is_alive()
    assert harness.states(Stage.CAPTION) == {"done": 1}


def test_a_waiting_wake_up_ends_when_the_worker_stops(fleet: WorkerHarness) -> None:
    worker = fleet.worker(threads=1)
    assert worker.slots.take()

    waiting = fleet.beside(worker.on_wake_up)
    fleet.stop.set()

    waiting.join(5)
    assert not waiting.is_alive()
    worker.slots.release()
