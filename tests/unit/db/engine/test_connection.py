from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from db.engine import connect
from db.engine.clock import now
from db.errors import BadConfiguration

if TYPE_CHECKING:
    from pathlib import Path

    from db.engine import Database


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("not a url", "PARAGONE_DATABASE_URL is not a URL"),
        ("", "is not a URL"),
        ("mysql://root@host/name", "names 'mysql': use PostgreSQL or SQLite"),
        ("postgresql+carrierpigeon://host/name", "names 'postgresql\\+carrierpigeon'"),
        ("postgresql+pg8000://host/name", "a driver that is not installed: write postgresql://"),
    ],
)
def test_a_url_that_is_of_no_use_is_refused_with_its_cause(url: str, cause: str) -> None:
    with pytest.raises(BadConfiguration, match=cause):
        connect(url)


def test_a_refusal_does_not_show_the_password() -> None:
    with pytest.raises(BadConfiguration) as refusal:
        connect("mysql://root:sesame@host/name")

    assert "sesame" not in str(refusal.value)


def test_the_folder_of_a_new_sqlite_file_is_made(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path / 'deep' / 'down' / 'paragone.sqlite'}")
    with database.engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    database.dispose()


def test_the_databases_clock_runs_in_seconds_since_1970_and_within_a_transaction(sqlite_database: Database) -> None:
    with sqlite_database.engine.begin() as connection:
        first = connection.execute(select(now())).scalar_one()
        time.sleep(0.02)
        second = connection.execute(select(now())).scalar_one()

    assert abs(first - time.time()) < 5
    assert 0.01 < second - first < 5


def test_writers_on_sqlite_wait_for_each_other_and_readers_for_nobody(sqlite_database: Database) -> None:
    order = []

    def write() -> None:
        with sqlite_database.engine.begin() as connection:
            connection.execute(text("INSERT INTO ingests (catalogue, report, finished_at) VALUES ('second', '{}', 0)"))
            order.append("second")

    with sqlite_database.engine.begin() as connection:
        connection.execute(text("INSERT INTO ingests (catalogue, report, finished_at) VALUES ('first', '{}', 0)"))
        thread = threading.Thread(target=write)
        thread.start()
        with sqlite_database.read() as reader:
            assert reader.execute(text("SELECT count(*) FROM ingests")).scalar_one() == 0
        time.sleep(0.05)
        order.append("first")
    thread.join(30)

    assert order == ["first", "second"]
    with sqlite_database.read() as reader:
        assert reader.execute(text("SELECT catalogue FROM ingests ORDER BY id")).scalars().all() == ["first", "second"]
