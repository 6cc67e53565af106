from __future__ import annotations

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from db.images import decode, decode_image, inspect_image, memory_budget
from db.images.memory_budget import MemoryBudget, decoding_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


class Watched(MemoryBudget):
    """A budget that remembers the most that was held, and by how many."""

    most = together = most_together = 0

    def held(self, size: int) -> AbstractContextManager[None]:  # type: ignore[override]  # only entered
        return _Watch(self, super().held(size))


class _Watch:
    def __init__(self, budget: Watched, inner: AbstractContextManager[None]) -> None:
        self._budget, self._inner = budget, inner

    def __enter__(self) -> None:
        self._inner.__enter__()
        with self._budget._changed:
            self._budget.together += 1
            self._budget.most = max(self._budget.most, self._budget.in_use)
            self._budget.most_together = max(self._budget.most_together, self._budget.together)

    def __exit__(self, *error: object) -> None:
        with self._budget._changed:
            self._budget.together -= 1
        self._inner.__exit__(*error)  # type: ignore[arg-type]


def png(mode: str = "RGBA", size: tuple[int, int] = (200, 100)) -> bytes:
    buffer = BytesIO()
    Image.new(mode, size, 90).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def budget(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """The budget of decoding, for one and a half of these images."""
    watched = Watched(decoding_bytes(200, 100, "RGBA") * 3 // 2)
    monkeypatch.setattr(decode, "DECODING", watched)
    yield watched
    assert watched._decoding == 0


@pytest.mark.parametrize("read", [decode_image, inspect_image])
def test_large_images_wait_for_each_other(read: object, budget: Watched) -> None:
    assert callable(read)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(read, [png()] * 40))

    assert budget.most <= budget.limit
    assert budget.most_together == 1


def test_small_ones_go_together(budget: Watched) -> None:
    everybody = threading.Barrier(3)

    def hold() -> None:
        with budget.held(budget.limit // 3):
            everybody.wait(10)

    with ThreadPoolExecutor(3) as pool:
        for held in [pool.submit(hold) for _ in range(3)]:
            held.result()
    assert budget.most_together == 3


def test_what_is_larger_than_the_budget_goes_alone(budget: Watched) -> None:
    assert inspect_image(png(size=(400, 400))).width == 400
    assert budget.most > budget.limit


def test_who_came_first_goes_first() -> None:
    budget, order = MemoryBudget(10), []

    def hold(name: str, size: int, came: threading.Event) -> None:
        came.set()
        with budget.held(size):
            order.append(name)

    threads = []
    with budget.held(5):
        for name, size in (("large", 10), ("small", 1)):
            came = threading.Event()
            threads.append(threading.Thread(target=hold, args=(name, size, came)))
            threads[-1].start()
            came.wait(10)
            while len(budget._queue) < len(threads):
                time.sleep(0.001)
        assert order == []  # the small one would fit, and waits behind the large one
    for thread in threads:
        thread.join(10)
    assert order == ["large", "small"]


def test_an_image_that_cannot_be_read_gives_its_memory_back(budget: Watched) -> None:
    with pytest.raises(ValueError, match="truncated"):
        decode_image(png()[:-40])
    assert budget.in_use == 0


def test_a_large_image_counts_until_it_is_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_budget, "WATCHED_BYTES", 1000)
    budget = MemoryBudget(10_000_000)
    image = Image.new("RGB", (100, 100))

    budget.keep(image)
    budget.keep(Image.new("RGB", (2, 2)))

    assert budget.in_use == 40_000
    del image
    gc.collect()
    assert budget.in_use == 0


def test_one_that_holds_decoded_images_and_waits_for_room_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_budget, "WATCHED_BYTES", 1000)
    budget = MemoryBudget(50_000, patience=0.05)
    image = Image.new("RGB", (100, 100))
    budget.keep(image)

    with budget.held(30_000):
        assert budget.in_use == 70_000
    assert image.width == 100
