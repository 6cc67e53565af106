"""Databases that cost little: one of each kind for all of these tests, emptied before each.

Copies of a template took a second each on PostgreSQL, and a new database compiles every statement again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.engine import connect
from db.engine.schema import migrate
from db.tables import metadata, schema_compatibility
from tests.services.databases import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.engine import Database
    from tests.services.postgresql import PostgresServer


@pytest.fixture(scope="session")
def lasting_postgresql(postgres_server: PostgresServer, postgres_template: str) -> Iterator[Database]:
    """A PostgreSQL database that each test finds empty."""
    name = postgres_server.create(template=postgres_template)
    database = connect(postgres_server.url(name))
    yield database
    database.dispose()
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def lasting_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A SQLite database that each test finds empty."""
    database = connect(f"sqlite:///{tmp_path_factory.mktemp('lasting') / 'paragone.sqlite'}")
    migrate(database)
    yield database
    database.dispose()


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> Database:
    """A database of each kind with empty tables."""
    database: Database = request.getfixturevalue(f"lasting_{request.param}")
    with database.engine.begin() as connection:
        if database.engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
        for table in reversed(metadata.sorted_tables):
            if table is not schema_compatibility:  # its row is the migrations'
                connection.execute(table.delete())
    return database
