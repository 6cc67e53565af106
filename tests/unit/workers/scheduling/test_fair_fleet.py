"""Schedulers over hours, on a clock that the simulation moves: who gets how much, who waits how long, how often models change."""

from __future__ import annotations

from itertools import pairwise

import pytest

from db.enums import Stage
from tests.unit.workers.scheduling.simulated_fleet import SimulatedCampaign, SimulatedFleet, SimulatedWorker, Step

HOUR = 3600.0

pytestmark = pytest.mark.slow(reason="each simulates hours of a fleet")
BOUND = 120.0
LOAD = 20.0
ENDLESS = 10**9


def one_step(number: int, *, model: str = "sdxl", seconds: float = 2.0, artworks: int = ENDLESS, priority: int = 0) -> SimulatedCampaign:
    step = Step(stage=Stage.GENERATE, model=model, seconds=seconds)
    return SimulatedCampaign(number=number, artworks=artworks, steps=[step], priority=priority)


def all_steps(number: int, artworks: int, *, captioner: str = "blip", generator: str = "sdxl", seconds: float = 2.0) -> SimulatedCampaign:
    steps = [
        Step(stage=Stage.CAPTION, model=captioner, seconds=seconds),
        Step(stage=Stage.PROMPT, model=None, seconds=0.01, fan_out=2),
        Step(stage=Stage.GENERATE, model=generator, seconds=seconds),
        Step(stage=Stage.RECAPTION, model=captioner, seconds=seconds),
    ]
    return SimulatedCampaign(number=number, artworks=artworks, steps=steps)


def served(fleet: SimulatedFleet) -> list[float]:
    """The campaigns' parts of all seconds, in the order of their numbers."""
    total = sum(fleet.served.values())
    return [fleet.served[number] / total for number in sorted(fleet.served)]


@pytest.mark.parametrize(("processes", "threads", "hours"), [(1, 1, 6), (1, 3, 2), (3, 3, 1)])
def test_two_equal_campaigns_get_equal_parts_of_hours(processes: int, threads: int, hours: int) -> None:
    fleet = SimulatedFleet(campaigns=[one_step(1), one_step(10)])
    for _ in range(processes):
        SimulatedWorker(fleet=fleet, threads=threads)

    fleet.run(hours * HOUR)

    assert served(fleet) == pytest.approx([0.5, 0.5], rel=0.01)
    assert sum(fleet.served.values()) == pytest.approx(processes * hours * HOUR, rel=0.01)


def test_parts_are_of_time_not_of_batches() -> None:
    fleet = SimulatedFleet(campaigns=[one_step(1, seconds=20.0), one_step(2, seconds=0.5), one_step(3, seconds=2.0)])
    SimulatedWorker(fleet=fleet)

    fleet.run(HOUR)

    assert served(fleet) == pytest.approx([1 / 3] * 3, rel=0.02)


def test_campaigns_are_first_served_in_the_order_of_their_numbers() -> None:
    fleet = SimulatedFleet(campaigns=[one_step(number) for number in (10, 2, 1)])
    SimulatedWorker(fleet=fleet, threads=1)

    fleet.run(10.0)

    assert sorted(fleet.first, key=lambda key: fleet.first[key]) == [(number, Stage.GENERATE) for number in (1, 2, 10)]


@pytest.mark.parametrize("models_kept", [1, 3])
@pytest.mark.parametrize("numbers", [(1, 2, 3), (3, 2, 1)])
@pytest.mark.parametrize("head_start", [0.0, 1000.0])
@pytest.mark.parametrize("processes", [1, 2])
def test_a_small_campaign_beside_huge_ones_is_done_in_its_third_of_the_time(
    models_kept: int, numbers: tuple[int, int, int], head_start: float, processes: int
) -> None:
    def seconds_for_the_small_one(*huge: SimulatedCampaign, head_start: float) -> float:
        fleet = SimulatedFleet(campaigns=list(huge))
        for _ in range(processes):
            SimulatedWorker(fleet=fleet, models_kept=models_kept, load_seconds=LOAD)
        if huge:
            fleet.run(head_start)
        began = fleet.now
        fleet.add(all_steps(numbers[0], 10))
        fleet.run(HOUR)
        return fleet.finished[numbers[0]] - began

    alone = seconds_for_the_small_one(head_start=0.0)
    beside = seconds_for_the_small_one(all_steps(numbers[1], 1_000), all_steps(numbers[2], 100_000), head_start=head_start)

    assert beside <= 1.5 * 3 * alone


@pytest.mark.parametrize("models", [2, 3, 5])
@pytest.mark.parametrize("models_kept", [1, 2])
def test_models_that_do_not_all_fit_wait_no_longer_than_the_bound_and_change_seldom(models: int, models_kept: int) -> None:
    if models <= models_kept:
        pytest.skip("all fit")
    fleet = SimulatedFleet(campaigns=[one_step(number, model=f"m{number}") for number in range(models)])
    SimulatedWorker(fleet=fleet, models_kept=models_kept, load_seconds=LOAD, starvation_seconds=BOUND)

    fleet.run(3 * HOUR)

    # Beside the bound, each change takes a load, and waits for the three batches that are under way.
    changes = models - models_kept
    longest = max(later - earlier for began in fleet.began.values() for earlier, later in pairwise(began))
    assert longest <= BOUND + (changes + 1) * (LOAD + 3 * 2.0)
    assert len(fleet.loads) <= 3 * HOUR / (BOUND / changes) + models
    assert served(fleet) == pytest.approx([1 / models] * models, rel=0.05)


def test_a_model_that_two_campaigns_use_has_the_longer_turns() -> None:
    fleet = SimulatedFleet(campaigns=[one_step(1, model="shared"), one_step(2, model="shared"), one_step(3, model="own")])
    SimulatedWorker(fleet=fleet, models_kept=1, load_seconds=1.0, starvation_seconds=BOUND)

    fleet.run(3 * HOUR)

    assert served(fleet) == pytest.approx([1 / 3] * 3, rel=0.05)


@pytest.mark.parametrize(("models_kept", "within"), [(3, 60.0), (1, BOUND + 60.0)])
def test_the_first_finished_images_of_a_large_campaign_come_within_minutes(models_kept: int, within: float) -> None:
    fleet = SimulatedFleet(campaigns=[all_steps(1, 1_000_000)])
    SimulatedWorker(fleet=fleet, models_kept=models_kept, load_seconds=LOAD, starvation_seconds=BOUND)
    began = fleet.now

    fleet.run(HOUR)

    assert fleet.first[1, Stage.GENERATE] - began <= within
    assert fleet.first[1, Stage.RECAPTION] - began <= 2 * within


def test_stages_of_one_campaign_that_need_turns_lose_little_to_loading() -> None:
    fleet = SimulatedFleet(campaigns=[all_steps(1, 1_000_000)])
    SimulatedWorker(fleet=fleet, models_kept=1, load_seconds=LOAD, starvation_seconds=BOUND)

    fleet.run(6 * HOUR)

    assert len(fleet.loads) <= 6 * HOUR / BOUND
