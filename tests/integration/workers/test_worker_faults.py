from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import InterfaceError, OperationalError

import workers.batch_run as batch_running
import workers.worker as working
from db.life.finish import hand_in
from db.life.lease import begin_on_device
from db.life.sweep import sweep
from db.tables import leases
from db.vocabulary import FailureKind, JobState, Stage
from db.workforce import living_workers
from tests.builders import artworks_of
from tests.integration.workers.conftest import Workshop, wait_for
from tests.integration.workers.scripted import Scripted, scripted
from workers.backends.errors import DeviceLost, ModelUnavailable
from workers.stages import STAGES
from workers.stages.fakes import FakeStage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.life.claim import Batch
    from db.life.finish import Verdict
    from db.life.inputs import Work
    from db.life.results import Result
    from workers.backends.protocol import ModelSource
    from workers.stages import Context, Prepared

Backends = dict[str, type[Scripted]]
#: A campaign of captions only, as far as these workers serve it.
CAPTIONS = [Stage.CAPTION]


class TestTrouble:
    """A model that can not be had."""

    @pytest.fixture
    def absent(self, backends: Backends) -> type[Scripted]:
        def load(source: ModelSource) -> str:
            raise ModelUnavailable("hub/one: the hub does not answer")

        backends["absent"] = scripted(load=load)
        return backends["absent"]

    def test_its_jobs_are_given_back_untried_and_other_keys_go_on(self, workshop: Workshop, absent: type[Scripted]) -> None:
        artworks_of(workshop.engine, 3)
        without = workshop.trial(name="without", backend="absent")
        sound = workshop.trial(name="sound")
        worker = workshop.worker()

        worker.answer_ring()

        assert sound.counts() == {str(stage): {"done": 3} for stage in Stage}
        assert without.states(Stage.CAPTION) == {"ready": 3}
        assert {(row["attempts"], row["error_kind"]) for row in without.jobs(Stage.CAPTION)} == {(0, None)}
        assert without.rows(leases) == []
        assert worker.troubles == ["hub/one: the hub does not answer"]

    def test_it_is_not_asked_for_again_at_once_but_later(
        self, workshop: Workshop, absent: type[Scripted], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workshop.trial(3, backend="absent")
        worker = workshop.worker()
        worker.answer_ring()
        worker.answer_ring()
        assert len(absent.sources) == 1

        monkeypatch.setattr(working, "TROUBLE_SECONDS", 0.0)
        worker._troubles = {key: (0.0, text) for key, (_, text) in worker._troubles.items()}
        absent.on_load = staticmethod(lambda _: "r1")
        worker.answer_ring()

        assert len(absent.sources) == 2
        assert worker.troubles == []

    def test_the_record_tells_it_until_it_is_over(self, workshop: Workshop, absent: type[Scripted]) -> None:
        workshop.trial(1, backend="absent")
        worker = workshop.worker(look_seconds=0.05, heartbeat_seconds=0.05)

        def told() -> list[str | None]:
            return [one.trouble for one in living_workers(workshop.engine, within_seconds=60)]

        worker.start()
        try:
            wait_for(lambda: told() == ["hub/one: the hub does not answer"])
            absent.on_load = staticmethod(lambda _: "r1")
            worker._troubles = {key: (0.0, text) for key, (_, text) in worker._troubles.items()}
            wait_for(lambda: told() == [None])
        finally:
            worker.close()
        assert told() == []

    def test_a_backend_nobody_offers_is_trouble_too(self, workshop: Workshop) -> None:
        trial = workshop.trial(2, backend="unheard-of")
        worker = workshop.worker()

        worker.answer_ring()

        assert trial.states(Stage.CAPTION) == {"ready": 2}
        assert worker.troubles == ["no installed package offers the backend 'unheard-of': check the campaign's `backend` settings"]


@pytest.mark.parametrize("half", ["prepare", "finish"])
def test_an_unforeseen_fault_in_a_stage_fails_only_its_job(half: str, workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = workshop.trial(5)

    class Broken(FakeStage):
        def prepare(self, work: Work, context: Context) -> Prepared:
            if half == "prepare" and work.key.endswith("00002"):
                raise ZeroDivisionError("division by zero")
            return super().prepare(work, context)

        def finish(self, prepared: Prepared, answer: Any, context: Context) -> Result:
            if half == "finish" and prepared.work.key.endswith("00002"):
                raise ZeroDivisionError("division by zero")
            return super().finish(prepared, answer, context)

    monkeypatch.setitem(STAGES, Stage.CAPTION, Broken(Stage.CAPTION))
    workshop.worker(stages=CAPTIONS).answer_ring()

    assert trial.states(Stage.CAPTION) == {"done": 4, "ready": 1}
    (again,) = trial.jobs(Stage.CAPTION, JobState.READY)
    assert (again["error_kind"], again["error_text"], again["attempts"]) == ("transient", "ZeroDivisionError: division by zero", 1)
    assert again["not_before"] > time.time()


def test_an_unforeseen_fault_around_a_batch_fails_its_jobs_and_not_the_worker(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = workshop.trial(4, batch=2)
    worker = workshop.worker(stages=CAPTIONS)
    told: list[Any] = []

    def begin_badly(*args: Any) -> bool:
        told.append(args)
        if len(told) == 1:
            raise RuntimeError("nobody foresaw this")
        return begin_on_device(*args)

    monkeypatch.setattr(batch_running, "begin_on_device", begin_badly)
    worker.answer_ring()

    assert trial.states(Stage.CAPTION) == {"done": 2, "ready": 2}
    assert trial.outcomes() == {"done": 2, "failed": 2}
    assert trial.rows(leases) == []


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_result_waits_for_its_database_and_is_not_computed_twice(
    error: type[OperationalError], workshop: Workshop, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = workshop.trial(3)
    tries = []

    def away(*args: Any, **given: Any) -> Verdict:
        tries.append(given)
        if len(tries) <= 2:
            raise error("COMMIT", {}, Exception("the server closed the connection"))
        return hand_in(*args, **given)

    monkeypatch.setattr(batch_running, "hand_in", away)
    monkeypatch.setattr("db.retrying.LONGEST_PAUSE", 0.05)
    workshop.worker(stages=CAPTIONS).answer_ring()

    assert trial.states(Stage.CAPTION) == {"done": 3}
    assert len(tries) == 3
    assert len(backends["plain"].batches) == 1
    assert trial.outcomes() == {"done": 3}


def test_a_database_that_is_away_before_the_work_leaves_the_batch_to_its_lease(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = workshop.trial(3)
    worker = workshop.worker(stages=CAPTIONS)

    def away(*_: Any) -> list[Work]:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    with monkeypatch.context() as patched:
        patched.setattr(batch_running, "works", away)
        with pytest.raises(OperationalError):
            worker.answer_ring()

    assert trial.states(Stage.CAPTION) == {"running": 3}
    assert worker._held == set()
    with trial.engine.begin() as connection:
        connection.execute(leases.update().values(expires_at=1.0))
    sweep(trial.engine, lease_seconds=0.0)
    worker.answer_ring()
    assert trial.states(Stage.CAPTION) == {"done": 3}


class TestLostDevice:
    """A device that fails under a sound program: the process ends itself."""

    @pytest.fixture
    def killed(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
        killed: list[tuple[int, int]] = []
        monkeypatch.setattr(os, "kill", lambda *given: killed.append(given))
        return killed

    def test_its_jobs_are_handed_in_as_transient_first(self, workshop: Workshop, backends: Backends, killed: list[tuple[int, int]]) -> None:
        def run(batch: Sequence[Any]) -> None:
            workshop.stop.set()
            raise DeviceLost("CUDA error: an illegal memory access was encountered")

        backends["broken"] = scripted(run=run)
        trial = workshop.trial(2, backend="broken")

        workshop.worker().answer_ring()

        assert killed == [(os.getpid(), signal.SIGKILL)]
        assert {(row["state"], row["error_kind"], row["attempts"]) for row in trial.jobs(Stage.CAPTION)} == {
            ("ready", str(FailureKind.TRANSIENT), 1)
        }

    def test_lost_while_loading_its_jobs_go_back_untried(
        self, workshop: Workshop, backends: Backends, killed: list[tuple[int, int]]
    ) -> None:
        def load(source: ModelSource) -> str:
            workshop.stop.set()
            raise DeviceLost("CUDA error: unspecified launch failure")

        backends["broken"] = scripted(load=load)
        trial = workshop.trial(2, backend="broken")

        workshop.worker().answer_ring()

        assert killed == [(os.getpid(), signal.SIGKILL)]
        assert {(row["state"], row["attempts"]) for row in trial.jobs(Stage.CAPTION)} == {("ready", 0)}
        assert trial.rows(leases) == []


class TestSweeping:
    """After the database was away, nobody's jobs are taken for one lease."""

    @pytest.fixture
    def expired(self, workshop: Workshop) -> Batch:
        trial = workshop.trial(2)
        batch = trial.claim(Stage.CAPTION, worker="silent")
        trial.lapse(batch)
        return batch

    def test_jobs_of_silent_workers_are_taken_back(self, workshop: Workshop, expired: Batch) -> None:
        workshop.worker(lease_seconds=0.001)._sweep()

        assert workshop.trial().states(Stage.CAPTION) == {"ready": 2}

    @pytest.mark.parametrize("failing", ["renew", "sweep"])
    def test_a_failure_holds_the_sweeper_back_for_one_lease(
        self, failing: str, workshop: Workshop, expired: Batch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worker = workshop.worker(lease_seconds=0.4)

        def away(*_: Any, **__: Any) -> None:
            raise OperationalError("UPDATE", {}, Exception("the database is starting up"))

        with monkeypatch.context() as patched:
            patched.setattr(working, failing, away)
            with pytest.raises(OperationalError):
                worker._heartbeat() if failing == "renew" else worker._sweep()

        worker._sweep()
        assert workshop.trial().states(Stage.CAPTION) == {"running": 2}
        time.sleep(0.45)
        worker._sweep()
        assert workshop.trial().states(Stage.CAPTION) == {"ready": 2}
