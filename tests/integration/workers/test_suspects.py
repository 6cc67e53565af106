"""What may have taken a worker down is worked on alone, and from its first step on it answers for what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import Stage, WorkerEnd
from db.jobs.sweep import return_jobs_of
from db.tables import leases
from workers.batches.batch_run import StageRunner
from workers.stages.fakes import FakeCaptionStage

if TYPE_CHECKING:
    from db.jobs.inputs import CaptionInput
    from tests.integration.workers.conftest import WorkerHarness
    from tests.integration.workers.scripted import Scripted
    from workers.backends.settings.base import BackendSettings
    from workers.stages import PreparedJob, StageContext


class WatchedCaptionStage(FakeCaptionStage):
    """Notes what is held and marked while an original is read."""

    def __init__(self, fleet: WorkerHarness) -> None:
        self.fleet = fleet
        #: For each reading: how many leases were marked as begun.
        self.marked: list[int] = []

    def prepare(self, job: CaptionInput, context: StageContext[BackendSettings]) -> PreparedJob[CaptionInput, CaptionInput]:
        rows = self.fleet.harness().rows(leases)
        self.marked.append(sum(row["started_at"] is not None for row in rows))
        return super().prepare(job, context)


def test_a_suspect_is_marked_while_it_is_read_and_nothing_runs_beside_it(fleet: WorkerHarness, backends: dict[str, type[Scripted]]) -> None:
    # Given four captions that a crashed worker was reading
    harness = fleet.harness(4)
    batch = harness.claim(Stage.CAPTION)
    return_jobs_of(fleet.database, batch.worker_id, end=WorkerEnd.CRASHED)
    stage = WatchedCaptionStage(fleet)
    fleet.runners[Stage.CAPTION] = StageRunner(stage)

    # When a worker takes them with three threads at once
    worker = fleet.worker(stages=[Stage.CAPTION])
    threads = [fleet.beside(worker.on_wake_up) for _ in range(3)]
    for thread in threads:
        thread.join(60)

    # Then each was read in its turn, under a mark of its own
    assert harness.states(Stage.CAPTION) == {"done": 4}
    assert {len(one) for one in backends["plain"].batches} == {1}
    assert stage.marked == [1, 1, 1, 1]


def test_what_is_no_suspect_is_marked_only_on_the_device(fleet: WorkerHarness) -> None:
    harness = fleet.harness(2)
    stage = WatchedCaptionStage(fleet)
    fleet.runners[Stage.CAPTION] = StageRunner(stage)

    fleet.worker(stages=[Stage.CAPTION]).on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": 2}
    assert stage.marked == [0, 0]
