from __future__ import annotations

import threading

import pytest

from workers.solitude import Solitude


def going_on() -> bool:
    return False


class Batch:
    """A batch in a thread of its own, which runs until the test ends it."""

    def __init__(self, solitude: Solitude, *, alone: bool) -> None:
        self.begun, self.end, self.stop = threading.Event(), threading.Event(), threading.Event()
        self.admitted: bool | None = None
        self._solitude, self._alone = solitude, alone
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        with self._solitude.admitted(alone=self._alone, stopping=self.stop.is_set) as admitted:
            self.admitted = admitted
            self.begun.set()
            if admitted:
                self.end.wait(20)

    def finish(self) -> None:
        self.end.set()
        self.thread.join(20)


@pytest.fixture
def solitude() -> Solitude:
    return Solitude()


def test_batches_run_side_by_side(solitude: Solitude) -> None:
    one, other = Batch(solitude, alone=False), Batch(solitude, alone=False)

    assert one.begun.wait(20)
    assert other.begun.wait(20)
    one.finish()
    other.finish()


def test_one_that_runs_alone_waits_for_those_under_way_and_holds_up_those_that_come(solitude: Solitude) -> None:
    before = Batch(solitude, alone=False)
    assert before.begun.wait(20)
    suspect = Batch(solitude, alone=True)
    assert not suspect.begun.wait(0.2)

    before.finish()
    assert suspect.begun.wait(20)
    after = Batch(solitude, alone=False)
    assert not after.begun.wait(0.2)

    suspect.finish()
    assert after.begun.wait(20)
    after.finish()


def test_two_that_run_alone_run_one_after_the_other(solitude: Solitude) -> None:
    one = Batch(solitude, alone=True)
    assert one.begun.wait(20)
    other = Batch(solitude, alone=True)
    assert not other.begun.wait(0.2)

    one.finish()
    assert other.begun.wait(20)
    other.finish()


def test_nothing_is_claimed_while_one_runs_alone(solitude: Solitude) -> None:
    assert solitude.wait_for_company(going_on)
    suspect = Batch(solitude, alone=True)
    assert suspect.begun.wait(20)
    claimed = threading.Event()

    def claim() -> None:
        if solitude.wait_for_company(going_on):
            claimed.set()

    threading.Thread(target=claim, daemon=True).start()
    assert not claimed.wait(0.2)

    suspect.finish()
    assert claimed.wait(20)


def test_a_worker_that_stops_waits_for_nobody(solitude: Solitude) -> None:
    suspect = Batch(solitude, alone=True)
    assert suspect.begun.wait(20)
    waiting = Batch(solitude, alone=False)

    waiting.stop.set()
    assert waiting.begun.wait(20)
    assert waiting.admitted is False
    assert not solitude.wait_for_company(lambda: True)
    suspect.finish()
    assert solitude.wait_for_company(going_on)
