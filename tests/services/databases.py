"""A fresh database for each test, on SQLite and on PostgreSQL from the same test."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from db.engine import connect
from db.engine.schema import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from db.engine import Database
    from tests.services.postgresql import PostgresServer


#: The kinds of databases, for a fixture's `params`.
KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.slow(reason="SQLite runs the same test")))


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database."""
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(request: pytest.FixtureRequest, database_kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of each kind without tables."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    with _on_postgresql(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture
def database(request: pytest.FixtureRequest, database_kind: str) -> Iterator[Database]:
    """A database of each kind with empty tables."""
    if database_kind == "sqlite":
        yield request.getfixturevalue("sqlite_database")
        return
    with _on_postgresql(request.getfixturevalue("postgres_server"), template=request.getfixturevalue("postgres_template")) as url:
        database = connect(url)
        yield database
        database.dispose()


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A SQLite database with empty tables, for tests where the kind does not matter."""
    path = shutil.copy(sqlite_template, tmp_path / "paragone.sqlite")
    database = connect(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with empty tables, to copy."""
    path = tmp_path_factory.mktemp("template") / "paragone.sqlite"
    _create_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a PostgreSQL database with empty tables, to copy."""
    name = postgres_server.create(name="paragone_template")
    _create_tables(postgres_server.url(name))
    return name


@contextmanager
def _on_postgresql(server: PostgresServer, **template: str) -> Iterator[str]:
    name = server.create(**template)
    yield server.url(name)
    server.drop(name)


def _create_tables(url: str) -> None:
    """Make the tables, as the program does at its first start."""
    database = connect(url)
    migrate(database)
    database.dispose()
