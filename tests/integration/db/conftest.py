"""Databases that cost little: PostgreSQL keeps one for all of these tests and empties it; copies of a template took a second each."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from db.engine import connect
from db.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.services.postgresql import PostgresServer


@pytest.fixture(scope="session")
def emptied_postgresql(postgres_server: PostgresServer, postgres_template: str) -> Iterator[Engine]:
    """An engine on one PostgreSQL database that each test empties before it begins."""
    name = postgres_server.create(template=postgres_template)
    engine = connect(postgres_server.url(name))
    yield engine
    engine.dispose()
    postgres_server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on a database of each kind with empty tables."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "paragone.sqlite")
        engine = connect(f"sqlite:///{tmp_path / 'paragone.sqlite'}")
    else:
        engine = request.getfixturevalue("emptied_postgresql")
        with engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
    yield engine
    engine.dispose()
