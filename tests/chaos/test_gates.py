from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.chaos.gates.hosts import memory_flat


def _evidence(sizes: list[float]) -> Any:
    samples = [(6.0 * number, int(size * (1 << 20))) for number, size in enumerate(sizes)]
    return SimpleNamespace(watch=SimpleNamespace(memory={("south", 7): samples}))


def test_a_worker_that_grows_by_six_mib_a_minute_is_found() -> None:
    (found,) = memory_flat(_evidence([45, *(100 + 0.6 * number for number in range(16))]))

    assert "a worker of south (7) grew by 6.0 MiB a minute" in found


@pytest.mark.parametrize("late", [5, 7, 9])
def test_one_step_of_five_mib_is_no_growth_whenever_it_comes(late: int) -> None:
    assert memory_flat(_evidence([45, *(100 + 5 * (number >= late) for number in range(16))])) == []


def test_nobody_may_take_more_than_the_most_however_slowly_it_came() -> None:
    assert "took 330 MiB" in memory_flat(_evidence([330.0] * 5))[0]
