from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from db.errors import DatabaseUnavailable
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


def beat_badly(error: Exception, times: int) -> None:
    """Let a thread fail so many times."""
    enough = threading.Event()
    beats: list[int] = []

    def beat() -> None:
        beats.append(1)
        if len(beats) == times:
            enough.set()
        raise error

    thread = PeriodicThread("heartbeat", 0.001, beat)
    thread.start()
    assert enough.wait(30)
    thread.stop(10)


def test_a_database_that_is_away_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    beat_badly(DatabaseUnavailable("the database does not answer"), 200)

    assert caplog.records == []


def test_an_error_that_comes_again_and_again_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    beat_badly(RuntimeError("nobody foresaw this"), 200)

    assert len(caplog.records) == 1


def test_a_nudge_ends_the_pause() -> None:
    beats: list[float] = []
    second = threading.Event()

    def beat() -> None:
        beats.append(time.monotonic())
        if len(beats) == 2:
            second.set()

    thread = PeriodicThread("look", 3600.0, beat)
    thread.start()
    while not beats:
        time.sleep(0.01)
    thread.nudge()

    assert second.wait(20)
    thread.stop(10)
