from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from db.engine.retry import LONGEST_PAUSE_SECONDS, STOPPING_PATIENCE_SECONDS, retry_while_unavailable
from db.errors import DatabaseUnavailable


class Outage:
    """A database that is away for so many tries; its pauses pass at once and are counted."""

    def __init__(self, tries: int) -> None:
        self.left, self.now, self.pauses = tries, 0.0, list[float]()

    def transaction(self) -> str:
        if self.left:
            self.left -= 1
            raise DatabaseUnavailable("server closed the connection")
        return "committed"

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Outage:
    outage = Outage(12)
    monkeypatch.setattr("db.engine.retry.time", outage)
    return outage


def test_a_transaction_waits_for_its_database_with_growing_pauses(outage: Outage) -> None:
    assert retry_while_unavailable(outage.transaction, patience_seconds=300.0) == "committed"

    assert len(outage.pauses) == 12
    assert outage.pauses == sorted(outage.pauses)
    assert max(outage.pauses) == LONGEST_PAUSE_SECONDS


def test_a_database_that_stays_away_longer_than_the_patience_raises_its_error(outage: Outage) -> None:
    with pytest.raises(DatabaseUnavailable, match="server closed"):
        retry_while_unavailable(outage.transaction, patience_seconds=10.0)

    assert 10.0 < outage.now < 10.0 + 2 * LONGEST_PAUSE_SECONDS


def test_a_process_that_was_asked_to_stop_waits_a_short_while_only(outage: Outage) -> None:
    outage.left = 1000

    with pytest.raises(DatabaseUnavailable):
        retry_while_unavailable(outage.transaction, patience_seconds=300.0, stopping=lambda: outage.now > 20.0)

    assert 20.0 < outage.now < 20.0 + STOPPING_PATIENCE_SECONDS + LONGEST_PAUSE_SECONDS


def test_a_hiccup_while_stopping_is_outlived(outage: Outage) -> None:
    outage.left = 3

    assert retry_while_unavailable(outage.transaction, patience_seconds=300.0, stopping=lambda: True) == "committed"


def test_an_error_that_no_waiting_can_change_is_raised_at_once(outage: Outage) -> None:
    def refused() -> str:
        raise IntegrityError("INSERT", None, Exception("twice"))

    with pytest.raises(IntegrityError):
        retry_while_unavailable(refused, patience_seconds=300.0)
    assert outage.pauses == []
