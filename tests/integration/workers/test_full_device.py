"""What a worker does when its device is full, and when a backend would end its process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from db.enums import FailureKind, JobState, Stage
from tests.integration.workers.scripted import Scripted, scripted
from workers.backends.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.workers.conftest import WorkerHarness
    from workers.backends.protocol import ModelSource

Backends = dict[str, type[Scripted]]
#: A campaign of captions only, as far as these workers serve it.
CAPTIONS = [Stage.CAPTION]


def test_idle_models_leave_a_full_device_before_batches_become_smaller(fleet: WorkerHarness, backends: Backends) -> None:
    def run(_: Sequence[Any]) -> None:
        if backends["plain"].log == ["load "]:
            raise OutOfMemory("full")

    fleet.harness(16, name="first")
    backends["large"] = scripted(run=run)
    large = fleet.harness(name="second", backend="large")

    fleet.worker(stages=CAPTIONS).on_wake_up()

    assert large.states(Stage.CAPTION) == {"done": 16}
    assert backends["plain"].log[:2] == ["load ", "unload "]
    assert {len(batch) for batch in backends["large"].batches} == {8}


def test_a_job_that_does_not_fit_the_empty_device_alone_fails_as_out_of_memory(fleet: WorkerHarness, backends: Backends) -> None:
    def run(batch: Sequence[Any]) -> None:
        if any(job.key.endswith("00001") for job in batch):
            raise OutOfMemory("full")

    backends["large"] = scripted(run=run)
    harness = fleet.harness(3, backend="large")

    fleet.worker(stages=CAPTIONS).on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 2, "ready": 1}
    (too_large,) = harness.jobs(Stage.CAPTION, JobState.READY)
    assert too_large["error_kind"] == str(FailureKind.OOM)


@pytest.mark.parametrize(
    ("exit_", "text"),
    [
        (SystemExit(1), "BackendExit: the backend called sys.exit(1)"),
        (KeyboardInterrupt(), "BackendExit: the backend raised KeyboardInterrupt"),
    ],
)
def test_a_backend_that_would_end_the_process_fails_the_job_it_did_so_on_and_no_other(
    exit_: BaseException, text: str, fleet: WorkerHarness, backends: Backends
) -> None:
    def run(batch: Sequence[Any]) -> None:
        if any(job.key.endswith("00003") for job in batch):
            raise exit_

    backends["rude"] = scripted(run=run)
    harness = fleet.harness(8, backend="rude")
    worker = fleet.worker(stages=CAPTIONS)

    worker.on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 7, "ready": 1}
    (guilty,) = harness.jobs(Stage.CAPTION, JobState.READY)
    assert guilty["error_text"] == text
    assert not guilty["suspect"]
    assert worker.scheduler.troubles == []


def test_a_backend_that_exits_while_loading_is_named_and_its_jobs_stay_untried(fleet: WorkerHarness, backends: Backends) -> None:
    def load(source: ModelSource) -> str:
        raise SystemExit(2)

    backends["rude"] = scripted(load=load)
    harness = fleet.harness(3, backend="rude")
    worker = fleet.worker(stages=CAPTIONS)

    worker.on_wake_up()

    assert {(row["state"], row["attempt_count"]) for row in harness.jobs(Stage.CAPTION)} == {("ready", 0)}
    assert worker.scheduler.troubles == ["the backend called sys.exit(2)"]
