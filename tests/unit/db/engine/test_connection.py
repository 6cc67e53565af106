from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from db.engine import connect
from db.engine.clock import now
from db.engine.url import parse_url
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
        ("POSTGRESQL://host/name", "begins with POSTGRESQL: write it in small letters"),
        ("'postgresql://host/name'", "has quotes or blanks around it: remove them"),
        (" postgresql://host/name", "has quotes or blanks around it"),
        ("postgresql://host/name\n", "has quotes or blanks around it"),
        ("postgresql://host:5432,other:5433/name", r"names two hosts: write .*\?host=first:5432&host=second:5432"),
        ("postgresql://user@host:port/name", "the port is no number up to 65535"),
        ("postgresql://user@host:99999/name", "the port is no number up to 65535"),
        ("postgresql+psycopg://us@er:ps@host/name", "must be percent-encoded"),
    ],
)
def test_a_url_that_is_of_no_use_is_refused_with_its_cause(url: str, cause: str) -> None:
    with pytest.raises(BadConfiguration, match=cause):
        connect(url)


def test_a_refusal_does_not_show_the_password() -> None:
    with pytest.raises(BadConfiguration) as refusal:
        connect("mysql://root:sesame@host/name")

    assert "sesame" not in str(refusal.value)


@pytest.mark.parametrize("sign", "@/#?")
@pytest.mark.parametrize(
    "url", ["postgresql://us{0}er:secret@host/name", "postgres://user:sec{0}ret@host/name", "postgresql://user:{0}secret@host"]
)
def test_a_sign_in_a_password_that_must_be_encoded_is_told_without_a_piece_of_it(url: str, sign: str) -> None:
    with pytest.raises(BadConfiguration, match=r"must be percent-encoded \(@ as %40, / as %2F") as refusal:
        connect(url.format(sign))

    assert not any(piece in str(refusal.value) for piece in ("sec", "ret", "us@", "er:"))


def test_a_password_with_an_equals_sign_is_told_to_be_encoded_too() -> None:
    with pytest.raises(BadConfiguration, match="must be percent-encoded") as refusal:
        connect("postgresql://user:sesame?a=b@host/name")

    assert "sesame" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("postgresql://us%40er:p%40ss%2F@host:5432/name", "host"),
        ("postgres://user@[::1]:5432/name", "::1"),
        ("postgresql://host/name?user=a@b&password=c@d", "host"),
        ("postgresql:///name?host=/run/postgresql", None),
        ("postgresql://user@/name?host=first:5432&host=second:5432", None),
    ],
)
def test_what_can_work_is_taken_as_it_is(url: str, host: str | None) -> None:
    parsed = parse_url(url)

    assert parsed.drivername == "postgresql+psycopg"
    assert parsed.host == host
    assert connect(url).is_postgresql


def test_an_encoded_password_is_decoded() -> None:
    assert parse_url("postgresql://user:p%40s%2Fs%23%25@host/name").password == "p@s" + "/s#%"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(
        BadConfiguration, match=f"folder {tmp_path}/file/below cannot be made .Not a directory.: choose another PARAGONE_DATA_DIR"
    ):
        connect(f"sqlite:///{tmp_path}/file/below/paragone.sqlite")


def test_the_folder_of_a_new_sqlite_file_is_made(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path / 'deep' / 'down' / 'paragone.sqlite'}")
    with database.engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    database.dispose()


def test_the_pages_that_a_process_keeps_of_sqlite_are_bounded_over_all_its_connections(sqlite_database: Database) -> None:
    with sqlite_database.engine.connect() as connection:
        kibibytes = -connection.scalar(text("PRAGMA cache_size"))  # negative: in KiB
    assert 0 < kibibytes * sqlite_database.engine.pool.size() <= 48 * 1024  # type: ignore[attr-defined]


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
