"""Foreign code that tries to end the process fails its own job, with its real text, and nothing else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from db.enums import JobState, Stage
from tests.integration.workers.scripted import Scripted, scripted
from workers.batches.batch_run import StageRunner
from workers.stages.fakes import FakeCaptionStage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.jobs.inputs import CaptionInput
    from db.results.stage_results import CaptionRecord
    from tests.integration.workers.conftest import WorkerHarness
    from workers.backends.settings.base import BackendSettings
    from workers.stages import PreparedJob, StageContext

Backends = dict[str, type[Scripted]]
CAPTIONS = [Stage.CAPTION]


@pytest.mark.parametrize(
    ("raised", "text"),
    [(SystemExit(1), "the backend called sys.exit(1)"), (KeyboardInterrupt(), "the backend raised KeyboardInterrupt")],
)
def test_a_backend_that_calls_exit_fails_the_one_job_it_was_at(
    raised: BaseException, text: str, fleet: WorkerHarness, backends: Backends
) -> None:
    def run(batch: Sequence[CaptionInput]) -> None:
        if any(job.key.endswith("00003") for job in batch):
            raise raised

    backends["leaving"] = scripted(run=run)
    harness = fleet.harness(8, backend="leaving")
    worker = fleet.worker(stages=CAPTIONS)

    worker.on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 7, "ready": 1}
    (guilty,) = harness.jobs(Stage.CAPTION, JobState.READY)
    assert (guilty["error_kind"], guilty["error_text"], guilty["suspect"]) == ("transient", f"BackendExit: {text}", False)
    assert not worker.slots.any_taken()


@pytest.mark.parametrize("half", ["prepare", "finish"])
def test_a_stage_that_calls_exit_fails_the_one_job_it_was_at(half: str, fleet: WorkerHarness) -> None:
    class Leaving(FakeCaptionStage):
        def prepare(self, job: CaptionInput, context: StageContext[BackendSettings]) -> PreparedJob[CaptionInput, CaptionInput]:
            if half == "prepare" and job.key.endswith("00002"):
                sys.exit(3)
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
                sys.exit(3)
            return super().finish(prepared, answer, context, revision=revision)

    fleet.runners[Stage.CAPTION] = StageRunner(Leaving())
    harness = fleet.harness(5)

    fleet.worker(stages=CAPTIONS).on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 4, "ready": 1}
    (guilty,) = harness.jobs(Stage.CAPTION, JobState.READY)
    assert guilty["error_text"] == "BackendExit: the stage caption called sys.exit(3)"


def test_an_exit_while_loading_keeps_the_thread(fleet: WorkerHarness, backends: Backends) -> None:
    def load(_: object) -> str:
        sys.exit("no licence")

    backends["leaving"] = scripted(load=load)
    harness = fleet.harness(3, backend="leaving")
    worker = fleet.worker(stages=CAPTIONS)

    worker.on_wake_up()

    assert harness.states(Stage.CAPTION) == {"ready": 3}
    assert not worker.slots.any_taken()
    assert worker.leases.held == []
