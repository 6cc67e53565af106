from __future__ import annotations

from typing import TYPE_CHECKING

from db.engine.compatibility import known_revisions
from db.monitoring.worker_registry import HeartbeatAnswer
from workers.host_watch import HostWatch, LeaveReason

if TYPE_CHECKING:
    import pytest


class Watched:
    """A watch with a clock of the test's, and what it asked for."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[LeaveReason] = []
        self.watch = HostWatch("lab1", on_leave=self.asked.append, clock=lambda: self.now)

    def beat(self, *, ahead: float = 0.0, took: float = 0.2, drained: bool = False, oldest: str | None = known_revisions()[-1]) -> None:
        sent_at = self.watch.sent_at()
        answer = HeartbeatAnswer(database_now=self.now + took / 2 - ahead, drained=drained, oldest_code=oldest)
        self.now += took
        self.watch.take(answer, sent_at=sent_at)


def test_the_clock_is_compared_at_the_middle_of_a_heartbeat() -> None:
    watched = Watched()
    assert watched.watch.clock_offset is None

    watched.beat(ahead=-42.0)

    assert watched.watch.clock_offset is not None
    assert abs(watched.watch.clock_offset + 42.0) < 1e-6


def test_a_slow_heartbeat_says_nothing_of_the_clock() -> None:
    watched = Watched()
    watched.beat(took=9.0)
    watched.beat(took=-3600.0)  # the host's clock was set back meanwhile
    watched.watch.take(None, sent_at=watched.now)

    assert watched.watch.clock_offset is None


def test_a_large_offset_is_told_once_until_it_was_small_again(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched()
    for ahead in (4.0, 30.0, 31.0, 0.0, -30.0):
        watched.beat(ahead=ahead)

    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "the clock of lab1 is 30 s ahead of the database's",
        "the clock of lab1 is 30 s behind the database's",
    ]


def test_a_drained_host_asks_to_leave_once(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched()
    watched.beat()
    assert watched.asked == []

    watched.beat(drained=True)
    watched.beat(drained=True)

    assert watched.asked == [LeaveReason.DRAINED]
    assert caplog.text.count("the host lab1 is drained (`paragone drain lab1 --undo` takes that back)") == 1


def test_a_program_that_the_database_has_outgrown_asks_to_leave(caplog: pytest.LogCaptureFixture) -> None:
    for oldest in known_revisions():
        watched = Watched()
        watched.beat(oldest=oldest)
        assert watched.asked == []

    watched.beat(oldest="2099_01_01", drained=True)

    assert watched.asked == [LeaveReason.TOO_OLD]
    assert "is too old for the database, which needs one for schema 2099_01_01 or later: install the newer Paragone" in caplog.text
