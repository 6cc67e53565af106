from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from db.errors import DatabaseUnavailable
from workers.periodic import PeriodicThread
from workers.stopping import attempt, wait_for_all

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def busy() -> Iterator[PeriodicThread]:
    """A thread that does not end before the test does."""
    go_on = threading.Event()
    thread = PeriodicThread("busy", 0.01, go_on.wait)
    thread.start()
    thread.begin_stop()
    yield thread
    go_on.set()
    thread.stop(10)


def test_an_attempt_tells_whether_it_was_done() -> None:
    done: list[int] = []

    assert attempt("adding", lambda: done.append(1), seconds=10)
    assert attempt("adding", lambda: done.append(2), seconds=None)
    assert done == [1, 2]


@pytest.mark.parametrize("seconds", [10, None])
def test_an_attempt_raises_nothing_and_a_database_that_is_away_is_no_news(seconds: float | None, caplog: pytest.LogCaptureFixture) -> None:
    def away() -> None:
        raise DatabaseUnavailable("it does not answer")

    def broken() -> None:
        raise ZeroDivisionError("division by zero")

    assert not attempt("deregistering", away, seconds=seconds)
    assert caplog.records == []
    assert not attempt("deregistering", broken, seconds=seconds)
    assert [record.getMessage() for record in caplog.records] == ["deregistering failed"]


def test_an_attempt_that_hangs_is_left_undone() -> None:
    go_on = threading.Event()
    began = time.monotonic()

    assert not attempt("deregistering", lambda: go_on.wait(30), seconds=0.1)

    assert time.monotonic() - began < 10
    go_on.set()


def test_threads_that_end_are_waited_for() -> None:
    threads = [PeriodicThread(f"quick-{number}", 0.01, lambda: None) for number in range(3)]
    for thread in threads:
        thread.start()
        thread.begin_stop()

    assert wait_for_all(threads, seconds=30)
    assert not any(thread.is_alive for thread in threads)


def test_a_thread_that_does_not_end_is_not_waited_for_longer_than_that(busy: PeriodicThread) -> None:
    assert not wait_for_all([busy], seconds=0.1)


def test_a_thread_that_is_at_nothing_of_value_is_waited_for_a_moment_only(busy: PeriodicThread) -> None:
    holds = [True]
    began = time.monotonic()
    threading.Timer(0.3, holds.clear).start()

    assert not wait_for_all([busy], seconds=60, idle_seconds=0.1, is_idle=lambda: not holds)

    assert 0.35 < time.monotonic() - began < 30
