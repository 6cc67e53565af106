"""An operator at the keyboard: each command called in this process, on a database of each kind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from db.runtime import Runtime
from db.settings import Settings
from tests.integration.producer.commands.published_results import Published

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from db.engine import Database


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Runs commands and returns what they print."""

    runtime: Runtime

    @property
    def database(self) -> Database:
        """The database that the commands work on."""
        return self.runtime.database

    def output_of(self, line: str, *more: str, exit_code: int = 0, answer: str | None = None) -> str:
        """What a command prints on standard output; Paragone's own errors are raised as they are."""
        name, *arguments = line.split()
        (point,) = entry_points(group="paragone.commands", name=name)
        result = CliRunner().invoke(point.load(), [*arguments, *more], obj=self.runtime, input=answer)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == exit_code, result.output
        return result.stdout

    def json_of(self, line: str, *more: str) -> Any:
        """What a command prints with `--json`."""
        return json.loads(self.output_of(line, *more, "--json"))


@pytest.fixture
def operator(database: Database, tmp_path: Path) -> Iterator[Operator]:
    """An operator with an empty database."""
    yield from _operator(database, tmp_path)


@pytest.fixture
def sqlite_operator(sqlite_database: Database, tmp_path: Path) -> Iterator[Operator]:
    """The same on SQLite, for what does not depend on the database."""
    yield from _operator(sqlite_database, tmp_path)


def _operator(database: Database, tmp_path: Path) -> Iterator[Operator]:
    url = database.engine.url.render_as_string(hide_password=False)
    runtime = Runtime(Settings.model_validate({"data_dir": tmp_path / "data", "database_url": url}))
    runtime.initialise()
    yield Operator(runtime=runtime)
    runtime.database.dispose()


@pytest.fixture
def published(operator: Operator, tmp_path: Path) -> Published:
    """Nothing published yet."""
    return Published(operator=operator, folder=tmp_path)


@pytest.fixture
def on_sqlite(sqlite_operator: Operator, tmp_path: Path) -> Published:
    """The same on SQLite."""
    return Published(operator=sqlite_operator, folder=tmp_path)
