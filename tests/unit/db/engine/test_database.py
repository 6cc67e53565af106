from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.engine import connect
from db.engine.database import TRIES
from db.errors import DatabaseUnavailable

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


def lock(database: Database) -> sqlite3.Connection:
    """Hold the file's only writer lock, as another process may."""
    connection = sqlite3.connect(str(database.engine.url.database), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.engine.database.RETRY_SECONDS", 0)


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


def test_a_writer_waits_for_a_locked_file_once_and_says_which(sqlite_database: Database) -> None:
    holder = lock(sqlite_database)
    patient = connect(sqlite_database.engine.url, timeout_seconds=0.3)
    began = time.monotonic()

    with pytest.raises(DatabaseUnavailable, match=r"paragone.sqlite is locked by another process \(database is locked\)"):
        patient.write(Transaction(0))

    assert 0.3 <= time.monotonic() - began < 0.3 * TRIES
    holder.close()
    assert patient.write(Transaction(0)) == 1
    patient.dispose()


def test_a_file_that_may_not_be_written_is_named_with_what_to_look_at(sqlite_database: Database) -> None:
    def refused(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        try:
            Transaction(0)(connection)
        finally:
            connection.exec_driver_sql("PRAGMA query_only = OFF")

    with pytest.raises(DatabaseUnavailable, match=r"paragone.sqlite is read-only \(.*\): check its permissions and its disk"):
        sqlite_database.write(refused)


def test_a_full_disk_is_told_as_such(sqlite_database: Database) -> None:
    def fill(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        report = f'"{"x" * 1_000_000}"'
        connection.execute(text("INSERT INTO ingests (catalogue, report, finished_at) VALUES ('x', :report, 0)"), {"report": report})

    with pytest.raises(DatabaseUnavailable, match=r"paragone.sqlite has a full disk \(.*\): free some space"):
        sqlite_database.write(fill)


def test_a_transaction_within_a_transaction_is_told_to_whoever_tests(sqlite_database: Database) -> None:
    with pytest.raises(ResourceWarning, match="second connection"), sqlite_database.read():
        rows(sqlite_database)

    assert rows(sqlite_database) == 0
