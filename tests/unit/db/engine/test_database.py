from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.engine.database import TRIES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.engine import Database


class Refusal(Exception):
    """What a driver raises."""

    def __init__(self, **code: object) -> None:
        super().__init__(str(code))
        vars(self).update(code)


class Transaction:
    """Writes one row; aborted at its end so often, with that code, before it succeeds."""

    def __init__(self, aborted: int, **code: object) -> None:
        self.left, self.code, self.begun = aborted, code, 0

    def __call__(self, connection: Connection) -> int:
        self.begun += 1
        connection.execute(text("INSERT INTO ingests (catalogue, report, finished_at) VALUES ('x', '{}', 0)"))
        if self.left:
            self.left -= 1
            raise DBAPIError("UPDATE jobs", None, Refusal(**self.code))
        return self.begun


def rows(database: Database) -> int:
    with database.read() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM ingests")) or 0)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.mark.parametrize("code", [{"sqlstate": "40P01"}, {"sqlstate": "40001"}, {"sqlite_errorcode": 5}, {"sqlite_errorcode": 517}])
def test_a_transaction_that_met_another_crosswise_is_run_again_and_written_once(sqlite_database: Database, code: dict[str, object]) -> None:
    assert sqlite_database.write(Transaction(TRIES - 1, **code)) == TRIES

    assert rows(sqlite_database) == 1


def test_a_transaction_is_given_up_after_a_few_tries_and_nothing_is_written(sqlite_database: Database) -> None:
    transaction = Transaction(100, sqlstate="40P01")

    with pytest.raises(DBAPIError):
        sqlite_database.write(transaction)

    assert transaction.begun == TRIES
    assert rows(sqlite_database) == 0


@pytest.mark.parametrize("code", [{"sqlstate": "23505"}, {"sqlstate": "57014"}, {"sqlite_errorcode": 19}, {}])
def test_a_transaction_with_any_other_fault_is_not_run_again(sqlite_database: Database, code: dict[str, object]) -> None:
    transaction = Transaction(1, **code)

    with pytest.raises(DBAPIError):
        sqlite_database.write(transaction)

    assert transaction.begun == 1
    assert rows(sqlite_database) == 0
