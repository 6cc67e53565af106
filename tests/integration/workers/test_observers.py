from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db.enums import Stage
from tests.integration.workers.scripted import scripted
from workers.backends.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.workers.conftest import WorkerHarness
    from tests.integration.workers.scripted import Scripted
    from workers.observers import BatchFacts


class Observed:
    """Remembers everything that it is told."""

    def __init__(self) -> None:
        self.facts: list[BatchFacts] = []
        self.events: list[tuple[Any, ...]] = []

    def batch_done(self, facts: BatchFacts) -> None:
        self.facts.append(facts)

    def model_loaded(self, name: str, seconds: float) -> None:
        assert seconds >= 0
        self.events.append(("loaded", name))

    def model_evicted(self, name: str) -> None:
        self.events.append(("evicted", name))

    def out_of_memory(self, stage: Stage, batch_size: int) -> None:
        self.events.append(("out of memory", stage, batch_size))


def test_an_observer_is_told_of_every_batch_with_its_parts(fleet: WorkerHarness) -> None:
    observed = Observed()
    fleet.observers.append(observed)
    harness = fleet.harness(3, batch=2)
    fleet.worker().on_wake_up()

    done = harness.counts()
    assert {stage: sum(one.done for one in observed.facts if one.stage == stage) for stage in done} == {
        stage: states["done"] for stage, states in done.items()
    }
    assert {one.campaign for one in observed.facts} == {f"campaign {harness.campaign.id}"}
    assert [one.jobs for one in observed.facts if one.stage is Stage.CAPTION] == [2, 1]
    for one in observed.facts:
        assert set(one.seconds) == {"claim", "load", "decode", "wait", "model", "device", "encode", "commit"}
        assert all(seconds >= 0 for seconds in one.seconds.values())
    assert observed.events == [("loaded", "plain")]


def test_failed_jobs_and_a_full_device_are_told(fleet: WorkerHarness, backends: dict[str, type[Scripted]]) -> None:
    def run(batch: Sequence[Any]) -> None:
        if len(batch) > 1:
            raise OutOfMemory("full")
        if batch[0].key.endswith("2"):
            raise ValueError("no")

    backends["tight"] = scripted(run=run)
    observed = Observed()
    fleet.observers.append(observed)
    fleet.harness(4, backend="tight", batch=4)
    fleet.worker(stages=[Stage.CAPTION]).on_wake_up()

    assert ("out of memory", Stage.CAPTION, 4) in observed.events
    assert ("out of memory", Stage.CAPTION, 2) in observed.events
    (first, *_) = observed.facts
    assert (first.jobs, first.done, first.failed) == (4, 3, 1)


def test_a_backend_without_a_device_is_no_time_on_the_device(fleet: WorkerHarness, backends: dict[str, type[Scripted]]) -> None:
    backends["remote"] = scripted(needs_device=False)
    observed = Observed()
    fleet.observers.append(observed)
    fleet.harness(1, backend="remote")
    fleet.worker(stages=[Stage.CAPTION]).on_wake_up()
    (facts,) = observed.facts
    assert facts.seconds.keys() == {"claim", "load", "decode", "model", "backend", "encode", "commit"}


def test_a_model_that_has_to_leave_is_told_and_one_that_leaves_at_the_end_is_not(
    fleet: WorkerHarness, backends: dict[str, type[Scripted]]
) -> None:
    backends["other"] = scripted()
    observed = Observed()
    fleet.observers.append(observed)
    fleet.harness(1, backend="plain", name="first")
    fleet.harness(backend="other", name="second")
    worker = fleet.worker(stages=[Stage.CAPTION], models_kept=1)
    worker.on_wake_up()
    assert [event for event, _ in observed.events] == ["loaded", "evicted", "loaded"]
    assert observed.events[0][1] == observed.events[1][1] != observed.events[2][1]
    worker.start()
    worker.close()
    assert len(observed.events) == 3
