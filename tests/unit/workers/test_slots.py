from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from workers import slots as slots_module
from workers.slots import Slots

if TYPE_CHECKING:
    import pytest


def test_no_more_places_are_taken_than_there_are() -> None:
    slots = Slots(2)
    assert not slots.any_taken()

    assert [slots.take() for _ in range(3)] == [True, True, False]
    assert slots.any_taken()
    slots.release()
    assert slots.take()
    assert not slots.take()


def test_a_place_is_waited_for_until_one_is_free() -> None:
    slots = Slots(1)
    slots.take()
    threading.Timer(0.05, slots.release).start()

    assert slots.wait_for_one(lambda: False)
    assert not slots.take()


def test_waiting_for_a_place_ends_when_the_worker_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots_module, "LOOK_SECONDS", 0.01)
    slots = Slots(1)
    slots.take()
    looks = iter([False, True])

    assert not slots.wait_for_one(lambda: next(looks))
    slots.release()
    assert not slots.any_taken()
