"""Two processes that initialise one fresh database and one fresh store at the same moment."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from db.engine import connect
from db.engine.schema import check_schema, current_revision, newest_revision
from db.store import Store
from db.tables import stores
from tests.services.databases import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.postgresql import PostgresServer

#: What `paragone init` calls, once for each line of settings; the answer is one line too.
INIT = """
import sys
from db.runtime import Runtime
from db.settings import Settings
print("begun", flush=True)
for line in sys.stdin:
    try:
        Runtime(Settings.model_validate_json(line)).initialise()
        print("ready", flush=True)
    except Exception as error:
        print(f"{type(error).__name__}: {error}".replace(chr(10), " "), flush=True)
"""
ROUNDS = 6


@contextmanager
def init_processes(count: int) -> Iterator[list[subprocess.Popen[str]]]:
    with ExitStack() as stack:
        command = [sys.executable, "-c", INIT]
        found = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)) for _ in range(count)
        ]
        for process in found:
            assert answer(process) == "begun"
        yield found
        for process in found:
            assert process.stdin is not None
            process.stdin.close()


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(process: subprocess.Popen[str], settings: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(settings) + "\n")
    process.stdin.flush()


@pytest.mark.parametrize("kind", KINDS)
def test_two_inits_at_once_make_one_schema_and_one_store(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with init_processes(2) as processes:
        for number in range(ROUNDS):
            folder = tmp_path / str(number)
            if kind == "sqlite":
                folder.mkdir()
                url = f"sqlite:///{folder / 'paragone.sqlite'}"
            else:
                server: PostgresServer = request.getfixturevalue("postgres_server")
                url = server.url(server.create())
            settings = {"data_dir": str(folder / "data"), "database_url": url, "store_url": str(folder / "store")}
            for process in processes:
                ask(process, settings)
            assert [answer(process) for process in processes] == ["ready", "ready"], number

            database = connect(url)
            check_schema(database)
            with database.read() as connection:
                known = connection.scalars(select(stores.c.id)).all()
            database.dispose()
            assert known == [Store.create(str(folder / "store")).files.marker()]


def test_two_first_commands_at_once_on_a_machine_where_nothing_is_configured(tmp_path: Path) -> None:
    with init_processes(2) as processes:
        for number in range(ROUNDS):
            for process in processes:
                ask(process, {"data_dir": str(tmp_path / str(number))})
            assert [answer(process) for process in processes] == ["ready", "ready"], number
            database = connect(f"sqlite:///{tmp_path / str(number) / 'paragone.sqlite'}")
            assert current_revision(database) == newest_revision()
            database.dispose()
