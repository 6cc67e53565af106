"""Databases that cost little: one of each kind for all of these tests, emptied before each.

Copies of a template took a second each on PostgreSQL, and a new engine compiles every statement again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.engine import connect
from db.schema import migrate
from db.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.services.postgresql import PostgresServer


@pytest.fixture(scope="session")
def lasting_postgresql(postgres_server: PostgresServer, postgres_template: str) -> Iterator[Engine]:
    """An engine on a PostgreSQL database that each test finds empty."""
    name = postgres_server.create(template=postgres_template)
    engine = connect(postgres_server.url(name))
    yield engine
    engine.dispose()
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def lasting_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine on a SQLite database that each test finds empty."""
    engine = connect(f"sqlite:///{tmp_path_factory.mktemp('lasting') / 'paragone.sqlite'}")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Engine:
    """An engine on a database of each kind with empty tables."""
    engine: Engine = request.getfixturevalue(f"lasting_{request.param}")
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    return engine
