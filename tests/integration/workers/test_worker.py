from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import workers.batch_run as batch_running
import workers.worker as working
from db.enums import JobState, Stage
from db.jobs.claim import claim_batch
from db.jobs.sweep import sweep
from db.tables import attempts, leases
from tests.integration.workers.conftest import Workshop, wait_for
from tests.integration.workers.scripted import Scripted, scripted
from workers.backends.errors import OutOfMemory
from workers.stages import STAGES
from workers.stages.fakes import FakeStage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from db.jobs.claim import Batch
    from db.jobs.inputs import JobInput
    from workers.stages import Context, Prepared

Backends = dict[str, type[Scripted]]
#: A campaign of captions only, as far as these workers serve it.
CAPTIONS = [Stage.CAPTION]


def holding(go_on: threading.Event) -> Callable[[Sequence[Any]], None]:
    """A batch that stays on the device until it may go on."""

    def run(_: Sequence[Any]) -> None:
        go_on.wait(30)

    return run


def test_one_ring_is_enough_for_everything_there_is(workshop: Workshop, backends: Backends) -> None:
    harness = workshop.harness(5, batch=2)

    workshop.worker().on_wake_up()

    assert harness.counts() == {str(stage): {"done": 5} for stage in Stage}
    assert harness.rows(leases) == []
    assert {row["attempt_count"] for stage in Stage for row in harness.jobs(stage)} == {1}
    assert {len(batch) for batch in backends["plain"].batches} == {1, 2}
    assert backends["plain"].log == ["load "]


def test_a_worker_takes_its_own_stages_only(workshop: Workshop) -> None:
    harness = workshop.harness(3)

    workshop.worker(stages=CAPTIONS).on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 3}
    assert harness.states(Stage.PROMPT) == {"ready": 3}


def test_a_batch_that_waits_for_the_device_is_given_back_when_the_worker_stops(workshop: Workshop, backends: Backends) -> None:
    harness = workshop.harness(3)
    worker = workshop.worker()
    with workshop.device_lock:
        thread = workshop.beside(worker.on_wake_up)
        wait_for(lambda: harness.states(Stage.CAPTION) == {"running": 3})

        workshop.stop.set()
        thread.join(10)

        assert harness.states(Stage.CAPTION) == {"ready": 3}
    assert harness.rows(leases) == []
    assert harness.rows(attempts) == []
    assert backends["plain"].batches == []


def test_a_batch_on_the_device_is_finished_when_the_worker_stops(workshop: Workshop, backends: Backends) -> None:
    backends["slow"] = scripted(run=lambda _: workshop.stop.set())
    harness = workshop.harness(3, backend="slow", batch=2)

    workshop.worker().on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 2, "ready": 1}
    assert len(backends["slow"].batches) == 1


def test_a_batch_that_was_taken_over_meanwhile_does_not_start_on_the_device(
    workshop: Workshop, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = workshop.harness(1)

    class Slept(FakeStage):
        def prepare(self, work: JobInput, context: Context) -> Prepared:
            # Given a worker that sleeps past its lease while it prepares, and another that takes its job over
            mine = harness.rows(leases)[0]["token"]
            lost.append(mine)
            with harness.database.engine.begin() as connection:
                connection.execute(leases.update().values(expires_at=1.0))
            sweep(harness.database, lease_seconds=0.0)
            taken.append(harness.claim(Stage.CAPTION, worker="other"))
            workshop.stop.set()
            return super().prepare(work, context)

    lost: list[str] = []
    taken: list[Batch] = []
    monkeypatch.setitem(STAGES, Stage.CAPTION, Slept(Stage.CAPTION))

    # An unstopped worker, so that only the lease keeps it from the device
    worker = workshop.worker()
    worker._context = batch_running.WorkerContext(**{**vars(worker._context), "stopping": lambda: False})
    worker.on_wake_up()

    assert backends["plain"].batches == []
    assert [row["token"] for row in harness.rows(leases)] == [taken[0].token]
    assert harness.finish(taken[0]).done == {taken[0].jobs[0].job_id}
    assert harness.outcomes() == {"lost": 1, "done": 1}


def test_only_what_a_thread_is_at_work_on_is_renewed(workshop: Workshop, backends: Backends) -> None:
    go_on = threading.Event()
    backends["slow"] = scripted(run=holding(go_on))
    harness = workshop.harness(2, backend="slow", batch=1)
    worker = workshop.worker(stages=CAPTIONS, lease_seconds=500.0)
    dropped = harness.claim(Stage.CAPTION, limit=1, worker=worker.identity.worker_id, lease_seconds=100.0)
    thread = workshop.beside(worker.on_wake_up)
    wait_for(lambda: len(backends["slow"].batches) == 1)
    before = {row["token"]: row["expires_at"] for row in harness.rows(leases)}
    assert len(before) == 2
    time.sleep(0.05)

    worker._heartbeat()

    after = {row["token"]: row["expires_at"] for row in harness.rows(leases)}
    assert after[dropped.token] == before[dropped.token]
    assert {token for token in after if after[token] > before[token]} == set(after) - {dropped.token}
    go_on.set()
    thread.join(20)
    assert worker._held == set()


def test_the_batch_size_found_by_running_out_of_memory_is_used_from_then_on(
    workshop: Workshop, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed: list[int] = []

    def watched(*args: Any, **given: Any) -> Batch | None:
        batch = claim_batch(*args, **given)
        claimed.extend([len(batch.jobs)] if batch else [])
        return batch

    def run(batch: Sequence[Any]) -> None:
        if len(batch) > 3:
            raise OutOfMemory("full")

    monkeypatch.setattr(working, "claim_batch", watched)
    backends["small"] = scripted(run=run)
    harness = workshop.harness(13, backend="small", batch=8)

    workshop.worker(stages=CAPTIONS).on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 13}
    assert claimed == [8, 2, 2, 1]
    assert [len(batch) for batch in backends["small"].batches] == [8, 4, 2, 2, 2, 2, 2, 2, 1]
    assert harness.outcomes() == {"done": 13}
    assert {row["batch_size"] for row in harness.rows(attempts)} == {2, 1}


def test_one_bad_job_harms_no_mate(workshop: Workshop, backends: Backends) -> None:
    def run(batch: Sequence[JobInput]) -> None:
        if any(work.key.endswith("00003") for work in batch):
            raise ValueError("this picture breaks the model")

    backends["touchy"] = scripted(run=run)
    harness = workshop.harness(8, backend="touchy")

    workshop.worker(stages=CAPTIONS).on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 7, "ready": 1}
    (guilty,) = harness.jobs(Stage.CAPTION, JobState.READY)
    assert guilty["error_text"] == "ValueError: this picture breaks the model"


def test_never_more_threads_work_than_the_settings_allow(workshop: Workshop, backends: Backends) -> None:
    backends["light"] = scripted(needs_device=False, run=lambda _: time.sleep(0.02))
    harness = workshop.harness(24, backend="light", batch=1)
    worker = workshop.worker(stages=CAPTIONS, threads=2)

    threads = [workshop.beside(worker.on_wake_up) for _ in range(6)]
    for thread in threads:
        thread.join(30)

    assert harness.states(Stage.CAPTION) == {"done": 24}
    assert backends["light"].together == 2


def test_only_one_batch_at_a_time_computes_on_the_device(workshop: Workshop, backends: Backends) -> None:
    backends["heavy"] = scripted(run=lambda _: time.sleep(0.02))
    harness = workshop.harness(12, backend="heavy", batch=1)
    worker = workshop.worker(stages=CAPTIONS, threads=3)

    for thread in [workshop.beside(worker.on_wake_up) for _ in range(3)]:
        thread.join(30)

    assert harness.states(Stage.CAPTION) == {"done": 12}
    assert backends["heavy"].together == 1


def test_what_needs_no_device_does_not_wait_for_it(workshop: Workshop, backends: Backends) -> None:
    backends["light"] = scripted(needs_device=False)
    harness = workshop.harness(3, backend="light")

    with workshop.device_lock:
        workshop.beside(workshop.worker().on_wake_up).join(20)

        assert harness.counts() == {str(stage): {"done": 3} for stage in Stage}


def test_a_ring_waits_for_a_free_thread_and_then_finds_what_is_new(workshop: Workshop, backends: Backends) -> None:
    go_on = threading.Event()
    backends["slow"] = scripted(run=holding(go_on))
    harness = workshop.harness(1, backend="slow")
    worker = workshop.worker(stages=CAPTIONS, threads=1)
    busy = workshop.beside(worker.on_wake_up)
    wait_for(lambda: len(backends["slow"].batches) == 1)

    waiting = workshop.beside(worker.on_wake_up)
    worker._look()  # a look does not wait: it finds the slot taken and comes back later
    time.sleep(0.1)
    assert waiting.is_alive()

    go_on.set()
    busy.join(20)
    waiting.join(20)
    assert not waiting.is_alive()
    assert harness.states(Stage.CAPTION) == {"done": 1}


def test_a_waiting_ring_ends_when_the_worker_stops(workshop: Workshop) -> None:
    worker = workshop.worker(threads=1)
    assert worker._slots.acquire(timeout=1)

    waiting = workshop.beside(worker.on_wake_up)
    workshop.stop.set()

    waiting.join(5)
    assert not waiting.is_alive()
    worker._slots.release()
