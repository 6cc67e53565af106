"""The image store goes away under a worker: nothing is lost, no attempt is spent, and work goes on when it is back."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from db.enums import Stage
from db.errors import StoreUnavailable
from db.monitoring.worker_registry import live_workers
from db.tables import attempts, images, leases
from tests.integration.workers.conftest import WorkerHarness, wait_for
from tests.integration.workers.scripted import Scripted, scripted
from workers import outages
from workers import worker as worker_module
from workers.batches import finished_work
from workers.batches.batch_run import StageRunner
from workers.outages import STORE
from workers.stages.fakes import FakeCaptionStage, FakeGenerateStage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from db.jobs.inputs import CaptionInput, RepaintInput
    from db.results.stage_results import RepaintRecord
    from workers.backends.settings.base import BackendSettings
    from workers.stages import PreparedJob, StageContext
    from workers.worker import Worker

Backends = dict[str, type[Scripted]]


class StoreFolder:
    """The folder of the workers' store."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.elsewhere = path.with_name("taken-away")

    def take_away(self) -> None:
        self.path.rename(self.elsewhere)

    def bring_back(self) -> None:
        self.elsewhere.rename(self.path)


class ReadingCaptionStage(FakeCaptionStage):
    """Captions that need the store before the device."""

    needs_store = True

    def prepare(self, job: CaptionInput, context: StageContext[BackendSettings]) -> PreparedJob[CaptionInput, CaptionInput]:
        context.store.check()
        return super().prepare(job, context)


class StoringGenerateStage(FakeGenerateStage):
    """Repaints that need the store after the device."""

    needs_store = True

    def finish(
        self, prepared: PreparedJob[RepaintInput, RepaintInput], answer: object, context: StageContext[BackendSettings], *, revision: str
    ) -> RepaintRecord:
        context.store.check()
        record = super().finish(prepared, answer, context, revision=revision)
        return replace(record, content_hash=context.store.put(record.content_hash.encode()))


@pytest.fixture
def folder(fleet: WorkerHarness, monkeypatch: pytest.MonkeyPatch) -> StoreFolder:
    """The folder of the store, with stages that need it and probes that come soon."""
    fleet.runners[Stage.CAPTION] = StageRunner(ReadingCaptionStage())
    fleet.runners[Stage.GENERATE] = StageRunner(StoringGenerateStage())
    monkeypatch.setattr(outages, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(outages, "LONGEST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(worker_module, "PROBE_SECONDS", 0.05)
    fleet.worker()._context.store.check()  # makes it, before there are artworks
    return StoreFolder(fleet.folder / "store")


def test_a_store_that_is_away_before_the_work_costs_no_attempt_however_long(
    fleet: WorkerHarness, folder: StoreFolder, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = fleet.harness(6, batch=2)
    worker = fleet.worker()
    folder.take_away()

    # For 200 s of looks and probes
    began = time.monotonic()
    for second in range(200):
        worker._context.outages._clock = lambda second=second: began + second  # type: ignore[misc]
        worker.on_wake_up()
        worker._context.outages.beat()

    assert harness.states(Stage.CAPTION) == {"ready": 6}
    assert {(row["attempt_count"], row["error_kind"], row["not_before"]) for row in harness.jobs(Stage.CAPTION)} == {(0, None, 0.0)}
    assert harness.rows(attempts) == []
    assert harness.rows(leases) == []
    assert backends["plain"].batches == []

    folder.bring_back()
    worker._context.outages._clock = lambda: began + 300
    assert worker._context.outages.beat()
    worker.on_wake_up()
    assert harness.counts() == {str(stage): {"done": 6} for stage in Stage}
    assert harness.outcomes() == {"done": 24}


def test_one_batch_meets_the_outage_and_the_next_is_not_claimed(
    fleet: WorkerHarness, folder: StoreFolder, caplog: pytest.LogCaptureFixture
) -> None:
    harness = fleet.harness(6, batch=2)
    worker = fleet.worker(stages=[Stage.CAPTION])
    asked = 0

    class Counting(ReadingCaptionStage):
        def prepare(self, job: CaptionInput, context: StageContext[BackendSettings]) -> PreparedJob[CaptionInput, CaptionInput]:
            nonlocal asked
            asked += 1
            return super().prepare(job, context)

    fleet.runners[Stage.CAPTION] = StageRunner(Counting())
    folder.take_away()
    worker.on_wake_up()
    worker.on_wake_up()

    assert asked == 1
    assert harness.states(Stage.CAPTION) == {"ready": 6}
    assert len(caplog.records) == 1


def test_mates_that_were_read_before_it_went_are_worked_on(fleet: WorkerHarness, folder: StoreFolder, backends: Backends) -> None:
    harness = fleet.harness(5)

    class Going(ReadingCaptionStage):
        def prepare(self, job: CaptionInput, context: StageContext[BackendSettings]) -> PreparedJob[CaptionInput, CaptionInput]:
            if job.key.endswith("00002") and folder.path.exists():
                folder.take_away()
            return super().prepare(job, context)

    fleet.runners[Stage.CAPTION] = StageRunner(Going())
    fleet.worker(stages=[Stage.CAPTION]).on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 2, "ready": 3}
    assert [len(batch) for batch in backends["plain"].batches] == [2]
    assert harness.outcomes() == {"done": 2}
    assert {row["attempt_count"] for row in harness.jobs(Stage.CAPTION)} == {0, 1}


def test_stages_that_need_no_store_go_on(fleet: WorkerHarness, folder: StoreFolder) -> None:
    harness = fleet.harness(4)
    harness.finish(harness.claim(Stage.CAPTION, limit=2))
    worker = fleet.worker()
    folder.take_away()
    worker._context.report_store(StoreUnavailable("the store is not there"))

    worker.on_wake_up()

    assert harness.states(Stage.PROMPT) == {"done": 2, "waiting": 2}
    assert harness.states(Stage.CAPTION) == {"done": 2, "ready": 2}
    assert harness.states(Stage.GENERATE) == {"ready": 2, "waiting": 2}


def test_a_running_worker_goes_on_by_itself_and_shows_what_is_away(fleet: WorkerHarness, folder: StoreFolder) -> None:
    harness = fleet.harness(4)
    worker = fleet.worker(heartbeat_seconds=0.05)
    folder.take_away()

    def shown() -> list[str | None]:
        return [one.trouble for one in live_workers(fleet.database, within_seconds=60)]

    worker.start()
    try:
        wait_for(lambda: "store" in (shown()[0] or ""))
        assert harness.states(Stage.CAPTION) == {"ready": 4}
        folder.bring_back()
        wait_for(lambda: harness.counts() == {str(stage): {"done": 4} for stage in Stage})
        wait_for(lambda: shown() == [None])
    finally:
        worker.close()
    assert harness.outcomes() == {"done": 16}


def test_a_store_that_is_away_at_the_start_is_waited_for(fleet: WorkerHarness, folder: StoreFolder) -> None:
    harness = fleet.harness(3)
    worker = fleet.worker()
    folder.take_away()
    worker.start()
    try:
        wait_for(lambda: any("not answered" not in text for text in worker._context.outages.troubles))
        time.sleep(0.2)
        assert harness.rows(attempts) == []
        assert not worker.first_batch.is_set(), "it claims nothing to find out"
        folder.bring_back()
        wait_for(lambda: harness.counts() == {str(stage): {"done": 3} for stage in Stage})
    finally:
        worker.close()


class TestResults:
    """Repaints that are painted when the store goes away."""

    @pytest.fixture
    def painted(self, fleet: WorkerHarness, folder: StoreFolder, backends: Backends) -> Worker:
        def paint(batch: Sequence[Any]) -> None:
            if folder.path.exists():
                folder.take_away()

        backends["painter"] = scripted(run=paint)
        harness = fleet.harness(3, level={"only": {"backend": "painter", "model": "", "steps": 4, "strength": 0.5}})
        harness.run(Stage.CAPTION, Stage.PROMPT)
        return fleet.worker(stages=[Stage.GENERATE], heartbeat_seconds=0.05)

    def test_they_wait_for_it_and_are_painted_once(
        self, painted: Worker, fleet: WorkerHarness, folder: StoreFolder, backends: Backends
    ) -> None:
        harness = fleet.harness(level={"only": {"backend": "painter", "model": "", "steps": 4, "strength": 0.5}})
        painted.start()
        try:
            wait_for(lambda: painted._context.outages.is_away(STORE))
            time.sleep(0.5)
            assert harness.states(Stage.GENERATE) == {"running": 3}
            (lease,) = harness.rows(leases)
            assert lease["token"] in painted.leases.held
            assert lease["started_at"] is None, "it has left the device: if the worker vanishes now, it was not for these"
            folder.bring_back()
            wait_for(lambda: harness.states(Stage.GENERATE) == {"done": 3})
        finally:
            painted.close()

        assert len(backends["painter"].batches) == 1
        assert harness.outcomes() == {"done": 9}
        assert all(painted._context.store.exists(row["content_hash"]) for row in harness.rows(images))

    def test_a_worker_that_is_asked_to_stop_gives_them_back_soon(
        self, painted: Worker, fleet: WorkerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("workers.batches.patience.STOPPING_SECONDS", 0.5)
        harness = fleet.harness(level={"only": {"backend": "painter", "model": "", "steps": 4, "strength": 0.5}})
        thread = fleet.beside(painted.on_wake_up)
        wait_for(lambda: painted._context.outages.is_away(STORE))

        began = time.monotonic()
        painted.begin_stop()
        thread.join(60)

        assert not thread.is_alive()
        assert time.monotonic() - began < 30
        assert harness.states(Stage.GENERATE) == {"ready": 3}
        assert {row["attempt_count"] for row in harness.jobs(Stage.GENERATE)} == {0}
        assert harness.rows(leases) == []

    def test_patience_that_runs_out_spends_no_attempt(self, painted: Worker, fleet: WorkerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(finished_work, "PATIENCE_LEASES", 0)
        harness = fleet.harness(level={"only": {"backend": "painter", "model": "", "steps": 4, "strength": 0.5}})

        painted.on_wake_up()

        assert harness.states(Stage.GENERATE) == {"ready": 3}
        assert harness.outcomes() == {"done": 6}
        assert harness.rows(leases) == []


class TestOldBlobs:
    """Blobs that were put long before their rows are written."""

    @pytest.fixture
    def planned(self, fleet: WorkerHarness, folder: StoreFolder, monkeypatch: pytest.MonkeyPatch) -> WorkerHarness:
        monkeypatch.setattr(finished_work, "BLOB_SECONDS", 0.0)
        fleet.harness(3).run(Stage.CAPTION, Stage.PROMPT)
        return fleet

    def test_a_blob_that_is_gone_by_then_leaves_no_row(self, planned: WorkerHarness) -> None:
        harness = planned.harness()
        worker = planned.worker(stages=[Stage.GENERATE])
        store = worker._context.store
        removed: list[str] = []

        class Forgetful(StoringGenerateStage):
            def finish(
                self,
                prepared: PreparedJob[RepaintInput, RepaintInput],
                answer: object,
                context: StageContext[BackendSettings],
                *,
                revision: str,
            ) -> RepaintRecord:
                record = super().finish(prepared, answer, context, revision=revision)
                if not removed:
                    removed.append(record.content_hash)
                    store.delete(record.content_hash)
                return record

        planned.runners[Stage.GENERATE] = StageRunner(Forgetful())
        worker.on_wake_up()

        assert harness.states(Stage.GENERATE) == {"done": 3}
        assert {row["attempt_count"] for row in harness.jobs(Stage.GENERATE)} == {1}
        assert {row["content_hash"] for row in harness.rows(images)} >= set(removed)
        assert all(store.exists(row["content_hash"]) for row in harness.rows(images))

    def test_a_store_that_went_away_after_the_put_keeps_the_rows_back(
        self, planned: WorkerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        harness = planned.harness()
        worker = planned.worker(stages=[Stage.GENERATE])
        store = worker._context.store
        asked: list[str] = []

        def refresh(content_hash: str) -> bool:
            asked.append(content_hash)
            assert harness.rows(images) == []
            if len(asked) < 3:
                raise StoreUnavailable("the store went away")
            return True

        monkeypatch.setattr(store, "refresh", refresh)
        worker.on_wake_up()

        assert len(asked) == 5
        assert harness.states(Stage.GENERATE) == {"done": 3}
        assert harness.outcomes() == {"done": 9}
