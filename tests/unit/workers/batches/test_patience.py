from __future__ import annotations

import time

import pytest

from workers.batches.patience import STOPPING_SECONDS, Patience


class Clock:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.moment = 0.0
        self.stopping = False

    def _sleep(self, seconds: float) -> None:
        self.moment += seconds

    def patience(self, seconds: float) -> Patience:
        return Patience(seconds, is_stopping=lambda: self.stopping, clock=lambda: self.moment, sleep=self._sleep)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_it_lasts_as_long_as_it_was_given_with_growing_pauses(clock: Clock) -> None:
    patience = clock.patience(300.0)
    clock.moment = 50.0
    tries = 0
    while patience.wait():
        tries += 1

    assert 350.0 <= clock.moment < 351.0, "it counts from the first wait"
    assert 60 < tries < 70
    assert not patience.wait()


def test_a_worker_that_is_asked_to_stop_waits_some_seconds_only_and_tries_more_often(clock: Clock) -> None:
    patience = clock.patience(300.0)
    while clock.moment < 60:
        assert patience.wait()
    clock.stopping = True
    began, tries = clock.moment, 0
    while patience.wait():
        tries += 1

    assert clock.moment - began < STOPPING_SECONDS + 1
    assert tries >= 5


def test_it_does_not_wait_longer_than_for_what_it_waits(clock: Clock) -> None:
    patience = clock.patience(300.0)
    for _ in range(10):
        patience.wait()
    began = clock.moment

    assert patience.wait(until=lambda: clock.moment > began + 1)
    assert clock.moment < began + 1.5


def test_no_patience_at_all_is_over_at_once(clock: Clock) -> None:
    assert not clock.patience(0.0).wait()
    assert clock.moment == 0.0


def test_it_counts_real_seconds() -> None:
    began = time.monotonic()
    patience = Patience(0.3, is_stopping=lambda: False)
    while patience.wait():
        pass

    assert time.monotonic() - began >= 0.3
