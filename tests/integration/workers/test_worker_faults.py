from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

import workers.batches.batch_run as batch_running
import workers.lease_keeper as lease_keeping
import workers.rescuer as rescuing
from db.enums import FailureKind, JobState, Stage
from db.errors import DatabaseUnavailable
from db.jobs.complete import complete_batch
from db.jobs.lease import begin_on_device, release_batch
from db.jobs.sweep import sweep
from db.monitoring.worker_registry import live_workers
from db.tables import leases
from tests.builders import artworks_of
from tests.integration.workers.conftest import WorkerHarness, wait_for
from tests.integration.workers.scripted import Scripted, scripted
from workers.backends.errors import DeviceLost, ModelUnavailable, TransientFailure
from workers.batches import finished_work
from workers.batches.batch_run import StageRunner
from workers.scheduling import scheduler as scheduling
from workers.stages.fakes import FakeCaptionStage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.jobs.claim import Batch
    from db.jobs.complete import CompletedBatch
    from db.jobs.inputs import CaptionInput, JobInput
    from db.results.stage_results import CaptionRecord
    from workers.backends.protocol import ModelSource
    from workers.backends.settings.base import BackendSettings
    from workers.stages import PreparedJob, StageContext
    from workers.worker import Worker

Backends = dict[str, type[Scripted]]
#: A campaign of captions only, as far as these workers serve it.
CAPTIONS = [Stage.CAPTION]


def pass_trouble_seconds(worker: Worker) -> None:
    """Let the time pass for which broken models are left alone, also after a fault that is noted only now."""
    began = time.monotonic() - scheduling.TROUBLE_SECONDS / 1000
    worker.scheduler._clock = lambda: time.monotonic() + 1000 * (time.monotonic() - began)


class TestTrouble:
    """A model that is unavailable."""

    @pytest.fixture
    def absent(self, backends: Backends) -> type[Scripted]:
        def load(source: ModelSource) -> str:
            raise ModelUnavailable("hub/one: the hub does not answer")

        backends["absent"] = scripted(load=load)
        return backends["absent"]

    def test_its_jobs_are_released_untried_and_other_keys_go_on(self, fleet: WorkerHarness, absent: type[Scripted]) -> None:
        artworks_of(fleet.database, 3)
        without = fleet.harness(name="without", backend="absent")
        sound = fleet.harness(name="sound")
        worker = fleet.worker()

        worker.on_wake_up()

        assert sound.counts() == {str(stage): {"done": 3} for stage in Stage}
        assert without.states(Stage.CAPTION) == {"ready": 3}
        assert {(row["attempt_count"], row["error_kind"]) for row in without.jobs(Stage.CAPTION)} == {(0, None)}
        assert without.rows(leases) == []
        assert worker.scheduler.troubles == ["hub/one: the hub does not answer"]

    def test_a_broken_model_is_loaded_again_only_after_a_while(
        self, fleet: WorkerHarness, absent: type[Scripted], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fleet.harness(3, backend="absent")
        worker = fleet.worker()
        worker.on_wake_up()
        worker.on_wake_up()
        assert len(absent.sources) == 1

        pass_trouble_seconds(worker)
        absent.on_load = staticmethod(lambda _: "r1")
        worker.on_wake_up()

        assert len(absent.sources) == 2
        assert worker.scheduler.troubles == []

    def test_the_database_shows_it_until_it_is_over(self, fleet: WorkerHarness, absent: type[Scripted]) -> None:
        fleet.harness(1, backend="absent")
        worker = fleet.worker(look_seconds=0.05, heartbeat_seconds=0.05)

        def shown() -> list[str | None]:
            return [one.trouble for one in live_workers(fleet.database, within_seconds=60)]

        worker.start()
        try:
            wait_for(lambda: shown() == ["hub/one: the hub does not answer"])
            absent.on_load = staticmethod(lambda _: "r1")
            pass_trouble_seconds(worker)
            wait_for(lambda: shown() == [None])
        finally:
            worker.close()
        assert shown() == []

    def test_a_backend_nobody_offers_is_trouble_too(self, fleet: WorkerHarness) -> None:
        harness = fleet.harness(2, backend="unheard-of")
        worker = fleet.worker()

        worker.on_wake_up()

        assert harness.states(Stage.CAPTION) == {"ready": 2}
        assert worker.scheduler.troubles == [
            "no installed package offers the backend 'unheard-of': check the campaign's `backend` settings"
        ]


@pytest.mark.parametrize("half", ["prepare", "finish"])
def test_an_unforeseen_fault_in_a_stage_fails_only_its_job(half: str, fleet: WorkerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness = fleet.harness(5)

    class Broken(FakeCaptionStage):
        def prepare(self, job: CaptionInput, context: StageContext[BackendSettings]) -> PreparedJob[CaptionInput, CaptionInput]:
            if half == "prepare" and job.key.endswith("00002"):
                raise ZeroDivisionError("division by zero")
            return super().prepare(job, context)

        def finish(
            self,
            prepared: PreparedJob[CaptionInput, CaptionInput],
            answer: object,
            context: StageContext[BackendSettings],
            *,
            revision: str,
        ) -> CaptionRecord:
            if half == "finish" and prepared.job.key.endswith("00002"):
                raise ZeroDivisionError("division by zero")
            return super().finish(prepared, answer, context, revision=revision)

    fleet.runners[Stage.CAPTION] = StageRunner(Broken())
    fleet.worker(stages=CAPTIONS).on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 4, "ready": 1}
    (again,) = harness.jobs(Stage.CAPTION, JobState.READY)
    assert (again["error_kind"], again["error_text"], again["attempt_count"]) == ("transient", "ZeroDivisionError: division by zero", 1)
    assert again["not_before"] > time.time()


def test_a_failed_job_pauses_as_long_as_the_settings_say(fleet: WorkerHarness, backends: Backends) -> None:
    def run(batch: Sequence[Any]) -> None:
        raise TransientFailure("503")

    backends["away"] = scripted(run=run)
    harness = fleet.harness(1, backend="away")

    fleet.worker(stages=CAPTIONS, retry_seconds=400.0).on_wake_up()

    (again,) = harness.jobs(Stage.CAPTION, JobState.READY)
    assert 290 < again["not_before"] - time.time() < 510


def test_an_unforeseen_fault_around_a_batch_fails_its_jobs_and_not_the_worker(
    fleet: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = fleet.harness(4, batch=2)
    worker = fleet.worker(stages=CAPTIONS)
    calls: list[Any] = []

    def begin_badly(*args: Any) -> bool:
        calls.append(args)
        if len(calls) == 1:
            raise RuntimeError("nobody foresaw this")
        return begin_on_device(*args)

    monkeypatch.setattr(batch_running, "begin_on_device", begin_badly)
    worker.on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 2, "ready": 2}
    assert harness.outcomes() == {"done": 2, "failed": 2}
    assert harness.rows(leases) == []


def test_a_result_waits_for_its_database_and_is_not_computed_twice(
    fleet: WorkerHarness, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = fleet.harness(3)
    tries = []

    def away(*args: Any, **given: Any) -> CompletedBatch:
        tries.append(given)
        if len(tries) <= 2:
            raise DatabaseUnavailable("the server closed the connection")
        return complete_batch(*args, **given)

    monkeypatch.setattr(finished_work, "complete_batch", away)
    fleet.worker(stages=CAPTIONS).on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 3}
    assert len(tries) == 3
    assert len(backends["plain"].batches) == 1
    assert harness.outcomes() == {"done": 3}


@pytest.mark.parametrize("asked", ["load_inputs", "begin_on_device"])
def test_a_database_that_is_away_before_the_work_costs_no_attempt(
    asked: str, fleet: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = fleet.harness(3)
    worker = fleet.worker(stages=CAPTIONS)
    held: list[list[str]] = []

    def away(*_: Any) -> list[JobInput]:
        raise DatabaseUnavailable("connection refused")

    def release(*given: Any) -> int:
        held.append(worker.leases.held)
        if len(held) < 3:
            raise DatabaseUnavailable("connection refused")
        patched.undo()
        return release_batch(*given)

    with monkeypatch.context() as patched:
        patched.setattr(batch_running, asked, away)
        patched.setattr(finished_work, "release_batch", release)
        worker.on_wake_up()

    assert len(held) == 3
    assert {len(tokens) for tokens in held} == {1}, "it is renewed until it is given back"
    assert harness.states(Stage.CAPTION) == {"done": 3}
    assert harness.outcomes() == {"done": 3}


def test_a_database_that_stays_away_leaves_the_batch_to_its_lease(fleet: WorkerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness = fleet.harness(3)
    worker = fleet.worker(stages=CAPTIONS)
    monkeypatch.setattr(finished_work, "PATIENCE_LEASES", 0)

    def away(*_: Any) -> Any:
        raise DatabaseUnavailable("connection refused")

    with monkeypatch.context() as patched:
        patched.setattr(batch_running, "load_inputs", away)
        patched.setattr(finished_work, "release_batch", away)
        worker.on_wake_up()

    assert harness.states(Stage.CAPTION) == {"running": 3}
    assert worker.leases.held == []
    with harness.database.engine.begin() as connection:
        connection.execute(leases.update().values(expires_at=1.0))
    sweep(harness.database, lease_seconds=0.0)
    worker.on_wake_up()
    assert harness.states(Stage.CAPTION) == {"done": 3}


class TestLostDevice:
    """A device that fails under a sound program: the process ends itself."""

    @pytest.fixture
    def killed(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
        killed: list[tuple[int, int]] = []
        monkeypatch.setattr(os, "kill", lambda *given: killed.append(given))
        return killed

    def test_its_jobs_are_recorded_as_transient_first(
        self, fleet: WorkerHarness, backends: Backends, killed: list[tuple[int, int]]
    ) -> None:
        def run(batch: Sequence[Any]) -> None:
            fleet.stop.set()
            raise DeviceLost("CUDA error: an illegal memory access was encountered")

        backends["broken"] = scripted(run=run)
        harness = fleet.harness(2, backend="broken")

        fleet.worker().on_wake_up()

        assert killed == [(os.getpid(), signal.SIGKILL)]
        assert {(row["state"], row["error_kind"], row["attempt_count"]) for row in harness.jobs(Stage.CAPTION)} == {
            ("ready", str(FailureKind.TRANSIENT), 1)
        }

    def test_lost_while_loading_its_jobs_go_back_untried(
        self, fleet: WorkerHarness, backends: Backends, killed: list[tuple[int, int]]
    ) -> None:
        def load(source: ModelSource) -> str:
            fleet.stop.set()
            raise DeviceLost("CUDA error: unspecified launch failure")

        backends["broken"] = scripted(load=load)
        harness = fleet.harness(2, backend="broken")

        fleet.worker().on_wake_up()

        assert killed == [(os.getpid(), signal.SIGKILL)]
        assert {(row["state"], row["attempt_count"]) for row in harness.jobs(Stage.CAPTION)} == {("ready", 0)}
        assert harness.rows(leases) == []


class TestSweeping:
    """After the database was away, nobody's jobs are taken for one lease."""

    @pytest.fixture
    def expired(self, fleet: WorkerHarness) -> Batch:
        harness = fleet.harness(2)
        batch = harness.claim(Stage.CAPTION, worker="silent")
        harness.expire_leases(batch)
        return batch

    def test_jobs_of_silent_workers_are_taken_back(self, fleet: WorkerHarness, expired: Batch) -> None:
        worker = fleet.worker(lease_seconds=1.0)
        worker.leases.beat()

        worker.rescuer.sweep()

        assert fleet.harness().states(Stage.CAPTION) == {"ready": 2}

    @pytest.mark.parametrize("failing", ["renew", "sweep"])
    def test_a_failure_holds_the_sweeper_back_for_one_lease(
        self, failing: str, fleet: WorkerHarness, expired: Batch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worker = fleet.worker(lease_seconds=1.0)
        worker.leases.beat()

        def away(*_: Any, **__: Any) -> None:
            raise DatabaseUnavailable("the database is starting up")

        with monkeypatch.context() as patched:
            patched.setattr(lease_keeping if failing == "renew" else rescuing, failing, away)
            with pytest.raises(DatabaseUnavailable):
                worker.leases.beat() if failing == "renew" else worker.rescuer.sweep()

        worker.leases.beat()
        worker.rescuer.sweep()
        assert fleet.harness().states(Stage.CAPTION) == {"running": 2}
        time.sleep(1.1)
        worker.leases.beat()  # late, as its clock ran on: what is held back is held back once more
        time.sleep(1.1)
        worker.leases._renewed_at = time.monotonic()
        worker.rescuer.sweep()
        assert fleet.harness().states(Stage.CAPTION) == {"ready": 2}
