from __future__ import annotations

import time

import pytest
from sqlalchemy.exc import DBAPIError

from db.engine.retry import TRIES, retried


class Refusal(Exception):
    """What a driver raises."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__(sqlstate)
        if sqlstate is not None:
            self.sqlstate = sqlstate


class Transaction:
    """Aborted so often, with that state, before it succeeds."""

    def __init__(self, aborted: int, sqlstate: str | None) -> None:
        self.left, self.sqlstate, self.begun = aborted, sqlstate, 0

    def run(self, value: int, *, twice: bool = False) -> int:
        self.begun += 1
        if self.left:
            self.left -= 1
            raise DBAPIError("UPDATE jobs", None, Refusal(self.sqlstate))
        return value * 2 if twice else value


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
def test_a_transaction_that_met_another_crosswise_is_run_again(sqlstate: str) -> None:
    transaction = Transaction(TRIES - 1, sqlstate)

    assert retried(transaction.run)(21, twice=True) == 42
    assert transaction.begun == TRIES


def test_it_is_given_up_after_a_few_tries() -> None:
    transaction = Transaction(100, "40P01")

    with pytest.raises(DBAPIError):
        retried(transaction.run)(1)
    assert transaction.begun == TRIES


@pytest.mark.parametrize("sqlstate", ["23505", "57014", None])
def test_any_other_fault_is_not_run_again(sqlstate: str | None) -> None:
    transaction = Transaction(1, sqlstate)

    with pytest.raises(DBAPIError):
        retried(transaction.run)(1)
    assert transaction.begun == 1
