"""A fresh database for each test, on SQLite and on PostgreSQL from the same test."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from db.engine import connect
from db.engine.schema import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from db.engine import Database
    from tests.services.postgresql import PostgresServer


def create_schema(database: Database) -> None:
    """Make the tables, as the program does at its first start."""
    migrate(database)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield _sqlite_url(tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database(request: pytest.FixtureRequest, database_url: str) -> Iterator[Database]:
    """A database of each kind with empty tables, the one that `database_url` names."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), str(url.database))
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        server.drop(str(url.database))
        server.create(template=request.getfixturevalue("postgres_template"), name=str(url.database))
    database = connect(database_url)
    yield database
    database.dispose()


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A SQLite database with empty tables, for tests where the kind does not matter."""
    url = _sqlite_url(tmp_path)
    shutil.copy(sqlite_template, str(make_url(url).database))
    database = connect(url)
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


def _create_tables(url: str) -> None:
    database = connect(url)
    create_schema(database)
    database.dispose()


def _sqlite_url(directory: Path) -> str:
    return f"sqlite:///{directory / 'paragone.sqlite'}"
