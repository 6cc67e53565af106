"""A worker beside whose large campaign small ones wait: on a clock that moves by one second for each batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from db.enums import Stage
from db.jobs.inputs import RecaptionInput, RepaintInput
from tests.integration.workers.scripted import Scripted, scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.integration.workers.conftest import WorkerHarness

Backends = dict[str, type[Scripted]]


class BatchClock:
    """A clock on which every batch takes a second, and the names of those that ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def __call__(self) -> float:
        return 1000.0 + len(self.ran)

    def running(self, name: str) -> Callable[[Sequence[Any]], None]:
        def run(_: Sequence[Any]) -> None:
            self.ran.append(name)

        return run


def test_a_small_campaign_beside_larger_ones_is_done_in_its_share_of_the_time(fleet: WorkerHarness, backends: Backends) -> None:
    clock = BatchClock()
    for name in ("large", "middle", "small"):
        backends[name] = scripted(run=clock.running(name))
    large = fleet.harness(60, name="large", backend="large", batch=2)
    for name, count in (("middle", 20), ("small", 4)):
        fleet.harness(name=name, backend=name, batch=2, planned=False).plan(limit=count)

    fleet.worker(clock=clock).on_wake_up()

    alone = clock.ran.count("small")
    last_of = {name: len(clock.ran) - clock.ran[::-1].index(name) for name in backends if name != "plain"}
    assert last_of["small"] <= 1.5 * 3 * alone
    assert last_of["middle"] <= 1.5 * 3 * clock.ran.count("middle")
    assert large.counts() == {str(stage): {"done": 60} for stage in Stage}


def test_a_campaign_that_comes_later_is_served_at_once(fleet: WorkerHarness, backends: Backends) -> None:
    clock = BatchClock()

    def run(_: Sequence[Any]) -> None:
        clock.ran.append("large")
        if len(clock.ran) == 20:
            fleet.harness(name="small", backend="small", batch=2, planned=False).plan(limit=2)

    backends["large"] = scripted(run=run)
    backends["small"] = scripted(run=clock.running("small"))
    fleet.harness(40, name="large", backend="large", batch=2)

    fleet.worker(clock=clock).on_wake_up()

    assert clock.ran[20:30].count("small") >= 4


def test_the_first_images_are_finished_long_before_the_last_caption(fleet: WorkerHarness, backends: Backends) -> None:
    kinds: list[type] = []
    clock = BatchClock()

    def run(batch: Sequence[Any]) -> None:
        clock.ran.append("")
        kinds.append(type(batch[0]))

    backends["one"] = scripted(run=run)
    fleet.harness(40, backend="one", batch=2)

    fleet.worker(clock=clock).on_wake_up()

    assert kinds.index(RepaintInput) <= 3
    assert kinds.index(RecaptionInput) <= 4


@pytest.mark.parametrize("threads", [1, 3])
def test_models_that_take_turns_leave_no_work_undone(threads: int, fleet: WorkerHarness, backends: Backends) -> None:
    names = ("a", "b", "c")
    clock = BatchClock()
    for name in names:
        backends[name] = scripted(run=clock.running(name))
    found = [fleet.harness(24 if name == "a" else 0, name=name, backend=name, batch=2) for name in names]
    worker = fleet.worker(clock=clock, models_kept=1, starvation_seconds=40.0, threads=threads)

    for thread in [fleet.beside(worker.on_wake_up) for _ in range(threads)]:
        thread.join(60)

    assert all(harness.counts() == {str(stage): {"done": 24} for stage in Stage} for harness in found)
    # Turns of 20 batches for each of three models; a thread that came in between may cost a turn or two.
    assert sum(line.startswith("load") for name in names for line in backends[name].log) <= len(clock.ran) / 20 + 6
