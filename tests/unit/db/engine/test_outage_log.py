from __future__ import annotations

import logging
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from db.engine import connect
from db.engine.wait import wait_until_available
from db.errors import DatabaseUnavailable, NotInitialised

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from db.engine import Database


@pytest.fixture
def removable(sqlite_template: Path, tmp_path: Path) -> Database:
    """A database whose folder a test moves away."""
    folder = tmp_path / "there"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "paragone.sqlite")
    return connect(f"sqlite:///{folder}/paragone.sqlite", timeout_seconds=0.1)


def write(connection: Connection) -> None:
    connection.execute(text("INSERT INTO ingests (catalogue, report, finished_at) VALUES ('x', '{}', 0)"))


def read(database: Database) -> None:
    with database.read() as connection:
        connection.scalar(text("SELECT count(*) FROM ingests"))


def lose(database: Database) -> None:
    folder = _folder(database)
    database.dispose()
    folder.rename(folder.with_name("away"))


def bring_back(database: Database) -> None:
    folder = _folder(database)
    folder.with_name("away").rename(folder)


def _folder(database: Database) -> Path:
    return Path(str(database.engine.url.database)).parent


def threaded(call: Callable[[], None]) -> None:
    """In a thread of its own, which holds no transaction."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(call).result()


def fails(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        read(database)


def test_an_outage_is_two_lines_however_many_threads_meet_it(removable: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="db.engine.outage_log")
    read(removable)
    lose(removable)
    threads = [threading.Thread(target=fails, args=(removable,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    bring_back(removable)
    for _ in range(3):
        read(removable)
    removable.dispose()

    gone, back = caplog.messages
    assert "cannot be opened" in gone
    assert gone.endswith("waiting for it")
    assert back == "the database is back after 0 s"


def test_a_database_that_never_worked_is_no_outage(removable: Database, caplog: pytest.LogCaptureFixture) -> None:
    lose(removable)
    fails(removable)

    assert caplog.messages == []


def test_a_held_lock_does_not_end_with_a_query_that_succeeds(sqlite_database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="db.engine.outage_log")
    impatient = connect(sqlite_database.engine.url, timeout_seconds=0.1)
    read(impatient)

    def blocked(connection: Connection) -> None:
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                threaded(lambda: impatient.write(write))
            threaded(lambda: read(impatient))

    sqlite_database.write(blocked)
    assert len(caplog.messages) == 1
    impatient.write(write)
    impatient.dispose()

    assert len(caplog.messages) == 2


def test_a_start_waits_for_the_database_with_one_line_each_way(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="db.engine.wait")
    answers: list[str | DatabaseUnavailable] = [DatabaseUnavailable("refused"), DatabaseUnavailable("starting up"), "open"]

    def opened() -> str:
        answer = answers.pop(0)
        if isinstance(answer, DatabaseUnavailable):
            raise answer
        return answer

    assert wait_until_available(opened, stopping=lambda: False) == "open"
    assert caplog.messages == ["waiting for the database: refused", "the database is back after 1 s"]


def test_a_start_that_is_stopped_while_it_waits_raises_what_it_waited_for() -> None:
    def away() -> str:
        raise DatabaseUnavailable("refused")

    with pytest.raises(DatabaseUnavailable, match="refused"):
        wait_until_available(away, stopping=lambda: True)


def test_a_start_does_not_wait_for_what_no_waiting_changes() -> None:
    def without_tables() -> str:
        raise NotInitialised

    with pytest.raises(NotInitialised):
        wait_until_available(without_tables, stopping=lambda: False)
