from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.backends.errors import BackendExit, BadRequest, DeviceLost, EndpointUnavailable, OutOfMemory, TransientFailure
from workers.batches.bisection import run_bisected
from workers.errors import ModelTrouble
from workers.scheduling.capacity import GROWTH_BATCHES, Capacity

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


class SharedDevice(Device):
    """A device that idle models lie on: each takes the place of two requests."""

    def __init__(self, *, idle: int, places: int) -> None:
        super().__init__()
        self.idle = idle
        self.places = places
        self.asked_for_room = 0

    def run(self, batch: Sequence[int]) -> list[int]:
        self.holds = self.places - 2 * self.idle
        return super().run(batch)

    def make_room(self) -> bool:
        self.asked_for_room += 1
        had_any, self.idle = self.idle > 0, 0
        return had_any


def test_idle_models_leave_before_the_batch_becomes_smaller() -> None:
    device = SharedDevice(idle=2, places=8)
    capacity = Capacity(limit=8)

    outcomes = run_bisected(device.run, list(range(8)), capacity, make_room=device.make_room)

    assert [len(batch) for batch in device.asked] == [8, 8]
    assert (capacity.limit, outcomes.together, outcomes.faults) == (8, 8, {})


def test_when_nothing_lies_idle_any_more_the_batch_becomes_smaller() -> None:
    device = SharedDevice(idle=2, places=3)
    capacity = Capacity(limit=8)

    outcomes = run_bisected(device.run, list(range(8)), capacity, make_room=device.make_room)

    assert [len(batch) for batch in device.asked] == [8, 8, 4, 2, 2, 2, 2]
    assert (capacity.limit, outcomes.faults) == (2, {})


def test_a_request_alone_is_at_fault_only_once_it_has_the_device_to_itself() -> None:
    fits, too_large = SharedDevice(idle=1, places=1), SharedDevice(idle=1, places=0)

    assert run_bisected(fits.run, [3], Capacity(limit=8), make_room=fits.make_room).results == {0: 9}
    outcomes = run_bisected(too_large.run, [3], Capacity(limit=8), make_room=too_large.make_room)

    assert isinstance(outcomes.faults[0], OutOfMemory)
    assert [too_large.asked, too_large.asked_for_room] == [[[3], [3]], 2]


def test_the_size_that_was_found_grows_again_once_the_device_has_room() -> None:
    device = SharedDevice(idle=0, places=3)
    capacity = Capacity(limit=8)

    def claim() -> int:
        """A batch as it is claimed: no larger than the limit."""
        before = len(device.asked)
        outcomes = run_bisected(device.run, list(range(capacity.limit)), capacity, make_room=device.make_room)
        assert outcomes.faults == {}
        return max(len(batch) for batch in device.asked[before:])

    assert claim() == 8
    assert capacity.limit == 2
    device.places = 100
    sizes = [claim() for _ in range(3 * GROWTH_BATCHES)]

    assert sizes == [2] * (GROWTH_BATCHES - 1) + [4] * GROWTH_BATCHES + [8] * (GROWTH_BATCHES + 1)


def test_a_growth_that_does_not_fit_evicts_nothing_and_waits_twice_as_long_before_the_next() -> None:
    device = SharedDevice(idle=0, places=3)
    capacity = Capacity(limit=8)
    run_bisected(device.run, list(range(8)), capacity, make_room=device.make_room)
    device.idle, device.places, device.asked_for_room = 1, 5, 0  # another model came meanwhile: room for three as before

    tried = []
    for number in range(16 * GROWTH_BATCHES):
        if capacity.limit > 2:
            tried.append(number)
        run_bisected(device.run, list(range(capacity.limit)), capacity, make_room=device.make_room)

    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses == [2 * GROWTH_BATCHES, 4 * GROWTH_BATCHES, 8 * GROWTH_BATCHES]
    assert (device.idle, device.asked_for_room) == (1, 0)


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt()])
def test_a_backend_that_would_end_the_process_is_at_fault_for_the_job_that_it_does_so_on(error: BaseException) -> None:
    def run(batch: Sequence[int]) -> list[int]:
        if 5 in batch:
            raise error
        return list(batch)

    outcomes = run_bisected(run, list(range(8)), Capacity(limit=8))

    assert set(outcomes.faults) == {5}
    assert isinstance(outcomes.faults[5], BackendExit)
    assert outcomes.results == {number: number for number in range(8) if number != 5}


def test_of_an_endpoint_that_is_away_the_rest_of_the_batch_is_not_asked() -> None:
    error = EndpointUnavailable("http://llm:8000/v1")
    device = Device(bad={2, 5}, error=error)

    outcomes = run_bisected(device.run, list(range(8)), Capacity(limit=2))

    assert device.asked == [[0, 1], [2, 3]]
    assert outcomes.results == {0: 0, 1: 1}
    assert outcomes.faults == dict.fromkeys(range(2, 8), error)


def test_a_service_that_refuses_whoever_asks_is_asked_once_and_told() -> None:
    device = Device(bad={5}, error=ModelTrouble("401 Unauthorized"))

    with pytest.raises(ModelTrouble, match="401"):
        run_bisected(device.run, range(8), Capacity(limit=8))

    assert device.asked == [list(range(8))], "it is not bisected"
