from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
import redis
from sqlalchemy import create_engine, inspect, text

from db.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.engine import Database


ROOT = Path(__file__).parents[2]


def test_a_new_database_has_no_tables(database_url: str) -> None:
    engine = create_engine(database_url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_database_of_each_kind_comes_with_empty_tables(database: Database, database_kind: str) -> None:
    assert database.engine.dialect.name == database_kind
    assert set(metadata.tables) <= set(inspect(database.engine).get_table_names())
    with database.engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM artworks")).scalar_one() == 0


def test_a_database_does_not_keep_what_an_earlier_test_wrote(database: Database) -> None:
    with database.engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM ingests")).scalar_one() == 0
        connection.execute(text("INSERT INTO ingests (catalogue, report, finished_at) VALUES ('x', '{}', 0)"))


def test_a_database_does_not_keep_what_an_earlier_test_wrote_again(database: Database) -> None:
    test_a_database_does_not_keep_what_an_earlier_test_wrote(database)


def test_a_sqlite_database_comes_without_a_server(sqlite_database: Database) -> None:
    assert sqlite_database.engine.dialect.name == "sqlite"
    assert set(metadata.tables) <= set(inspect(sqlite_database.engine).get_table_names())


def test_a_broker_is_empty(broker_url: str) -> None:
    with redis.Redis.from_url(broker_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_a_broker_does_not_keep_what_an_earlier_test_wrote(broker_url: str) -> None:
    test_a_broker_is_empty(broker_url)


SESSION = """
import pathlib, time, redis
def test_that_does_not_end(postgres_server, broker_url):
    valkey = redis.Redis.from_url(broker_url).config_get("dir")["dir"]
    pathlib.Path({file!r}).write_text(f"{{postgres_server.directory}}\\n{{valkey}}")
    time.sleep(60)
"""


@pytest.mark.slow(reason="starts servers of its own")
def test_servers_do_not_outlive_a_killed_session(tmp_path: Path) -> None:
    # Given a pytest session of its own with both servers up
    directories_file = tmp_path / "directories"
    (tmp_path / "test_session.py").write_text(SESSION.format(file=str(directories_file)))
    (tmp_path / "conftest.py").write_text("from tests.services.postgresql import *\nfrom tests.services.valkey import *\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path)]
    session = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        _wait(lambda: directories_file.exists() and directories_file.read_text() != "")
    finally:
        # When it is killed
        session.send_signal(signal.SIGKILL)
        session.wait()

    # Then the servers go, and so do their files
    directories = [Path(line) for line in directories_file.read_text().split()]
    assert len(directories) == 2
    _wait(lambda: not any(directory.exists() or _processes_of(directory) for directory in directories))


def _processes_of(directory: Path) -> list[int]:
    """Processes that have `directory` in their command line or work in it."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "cwd"])
        if str(directory) in " ".join([*(process.info["cmdline"] or []), process.info["cwd"] or ""])
    ]


def _wait(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s"
        time.sleep(0.05)
