from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from workers.periodic import PeriodicThread

if TYPE_CHECKING:
    import pytest


def test_a_pulse_goes_on_after_its_beat_failed(caplog: pytest.LogCaptureFixture) -> None:
    beats: list[float] = []
    third = threading.Event()

    def beat() -> None:
        beats.append(time.monotonic())
        if len(beats) == 1:
            raise RuntimeError("the database is away")
        if len(beats) == 3:
            third.set()

    thread = PeriodicThread("heartbeat", 0.01, beat)
    thread.start()

    assert third.wait(10)
    thread.stop(10)
    assert [record.message for record in caplog.records] == ["heartbeat failed and will be tried again"]
    assert "the database is away" in caplog.text


def test_the_first_beat_comes_at_once_and_the_next_after_about_its_seconds() -> None:
    beats: list[float] = []
    second = threading.Event()

    def beat() -> None:
        beats.append(time.monotonic())
        if len(beats) == 2:
            second.set()

    began = time.monotonic()
    thread = PeriodicThread("look", 0.3, beat)
    thread.start()
    assert second.wait(10)
    thread.stop(10)

    assert beats[0] - began < 0.2
    assert beats[1] - beats[0] >= 0.3 * 0.8


def test_stopping_waits_for_the_beat_under_way_and_lets_none_follow() -> None:
    begun, ended = threading.Event(), []

    def beat() -> None:
        begun.set()
        time.sleep(0.2)
        ended.append(True)

    thread = PeriodicThread("sweeper", 0.001, beat)
    thread.start()
    assert begun.wait(10)
    thread.stop(10)

    assert ended == [True]
    time.sleep(0.05)
    assert ended == [True]


def test_a_pulse_that_never_began_or_is_stopped_by_itself_does_not_wait() -> None:
    PeriodicThread("idle", 1.0, lambda: None).stop(10)
    done = threading.Event()

    def beat() -> None:
        thread.stop(10)
        done.set()

    thread = PeriodicThread("self", 0.001, beat)
    thread.start()

    assert done.wait(5)
