from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.backends.errors import BadRequest, DeviceLost, OutOfMemory, TransientFailure
from workers.bisection import Capacity, run_bisected

if TYPE_CHECKING:
    from collections.abc import Sequence


class Device:
    """Squares numbers; breaks on some, and is full above a number of requests."""

    def __init__(self, *, bad: set[int] | None = None, holds: int = 1000, error: Exception | None = None) -> None:
        self.bad = bad or set()
        self.holds = holds
        self.error = error or RuntimeError("broken input")
        self.asked: list[list[int]] = []

    def run(self, batch: Sequence[int]) -> list[int]:
        self.asked.append(list(batch))
        if len(batch) > self.holds:
            raise OutOfMemory(f"{len(batch)} do not fit")
        if self.bad & set(batch):
            raise self.error
        return [number * number for number in batch]


@given(st.integers(1, 33), st.sets(st.integers(0, 32)), st.integers(1, 40))
def test_only_the_guilty_fail_and_every_mate_gets_its_own_answer(size: int, bad: set[int], limit: int) -> None:
    device = Device(bad=bad)
    guilty = {number for number in bad if number < size}

    outcomes = run_bisected(device.run, list(range(size)), Capacity(limit=limit))

    assert set(outcomes.faults) == guilty
    assert outcomes.results == {position: position * position for position in range(size) if position not in guilty}
    for position in range(size):
        if position in guilty:
            with pytest.raises(RuntimeError, match="broken input"):
                outcomes.answer(position)
        else:
            assert outcomes.answer(position) == position * position


@given(st.integers(1, 64), st.integers(0, 63))
def test_one_guilty_job_costs_few_calls(size: int, guilty: int) -> None:
    device = Device(bad={guilty % size})

    run_bisected(device.run, list(range(size)), Capacity(limit=size))

    # Two halves at each of log2(size) steps, and the whole.
    assert len(device.asked) <= 1 + 2 * (size - 1).bit_length()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_a_full_device_halves_the_limit_keeps_it_and_loses_no_job(size: int, holds: int, limit: int) -> None:
    device = Device(holds=holds)
    capacity = Capacity(limit=limit)

    outcomes = run_bisected(device.run, list(range(size)), capacity)

    assert outcomes.faults == {}
    assert outcomes.results == {position: position * position for position in range(size)}
    assert capacity.limit <= limit
    assert outcomes.together == max(len(batch) for batch in device.asked if len(batch) <= holds)
    if min(size, limit) > holds:
        assert (holds + 1) // 2 <= capacity.limit <= holds
    else:
        assert capacity.limit == limit


def test_the_limit_that_was_found_is_not_tried_beyond_again() -> None:
    device = Device(holds=3)
    capacity = Capacity(limit=16)

    run_bisected(device.run, list(range(16)), capacity)
    before = len(device.asked)
    run_bisected(device.run, list(range(16)), capacity)

    assert [len(batch) for batch in device.asked[:4]] == [16, 8, 4, 2]
    assert capacity.limit == 2
    assert {len(batch) for batch in device.asked[before:]} == {2}


def test_a_request_that_does_not_fit_even_alone_is_at_fault_itself() -> None:
    capacity = Capacity(limit=4)

    def run(batch: Sequence[int]) -> list[int]:
        if 2 in batch:
            raise OutOfMemory("too large")
        return list(batch)

    outcomes = run_bisected(run, [0, 1, 2, 3], capacity)

    assert set(outcomes.faults) == {2}
    assert isinstance(outcomes.faults[2], OutOfMemory)
    assert outcomes.results == {0: 0, 1: 1, 3: 3}
    assert capacity.limit == 1


@pytest.mark.parametrize("error", [TransientFailure("busy"), DeviceLost("fell off the bus")])
def test_a_passing_fault_fails_the_whole_piece_and_asks_no_more_of_it(error: Exception) -> None:
    device = Device(bad={1}, error=error)

    outcomes = run_bisected(device.run, list(range(8)), Capacity(limit=4))

    assert device.asked == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert outcomes.faults == dict.fromkeys([0, 1, 2, 3], error)
    assert outcomes.results == {4: 16, 5: 25, 6: 36, 7: 49}


@pytest.mark.parametrize("count", [0, 3, 5])
def test_a_wrong_number_of_results_is_never_given_to_anybody(count: int) -> None:
    def run(batch: Sequence[int]) -> list[int]:
        return [7] * count if len(batch) == 4 else [number * number for number in batch]

    outcomes = run_bisected(run, [0, 1, 2, 3], Capacity(limit=4))

    assert outcomes.results == {0: 0, 1: 1, 2: 4, 3: 9}
    assert outcomes.faults == {}


def test_a_backend_that_always_miscounts_says_so_for_each_job() -> None:
    outcomes = run_bisected(lambda batch: [*batch, 0], [0, 1], Capacity(limit=2))

    assert outcomes.results == {}
    assert {str(error) for error in outcomes.faults.values()} == {"the backend gave 2 results for 1 requests"}
    assert all(isinstance(error, BadRequest) for error in outcomes.faults.values())


def test_the_order_of_work_is_the_order_of_the_batch() -> None:
    device = Device(bad={5})

    run_bisected(device.run, list(range(8)), Capacity(limit=4))

    alone = [batch[0] for batch in device.asked if len(batch) == 1]
    firsts = [batch[0] for batch in device.asked]
    assert firsts == sorted(firsts)
    assert alone == [4, 5]


def test_of_nothing_comes_nothing() -> None:
    outcomes = run_bisected(Device().run, [], Capacity(limit=4))

    assert (outcomes.results, outcomes.faults, outcomes.together) == ({}, {}, 0)
