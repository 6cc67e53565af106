"""PostgreSQL behind a pooler that gives each transaction another session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from db.engine import connect
from db.engine.limits import TIMEOUT_SECONDS
from db.engine.schema import check_schema
from tests.builders import harness_of
from tests.services.transaction_pooler import TransactionPooler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.engine import Database
    from tests.services.database_proxy import DatabaseProxy
    from tests.services.postgresql import PostgresServer

pytestmark = [pytest.mark.slow(reason="PostgreSQL only"), pytest.mark.timeout(120)]


@pytest.fixture
def database_name(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A database with empty tables."""
    name = postgres_server.create(template=postgres_template)
    yield name
    postgres_server.drop(name)


def prepared_and_limit(database: Database) -> tuple[int, str]:
    """Statements prepared in the session after one was run ten times, and the session's time limit."""
    query = text("SELECT count(*) FROM ingests")
    for _ in range(10):
        with database.read() as connection:
            connection.scalar(query)
    with database.read() as connection:
        prepared = connection.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
        return int(prepared or 0), str(connection.scalar(text("SHOW statement_timeout")))


def test_without_a_pooler_statements_are_prepared_and_the_session_has_limits(database_proxy: DatabaseProxy, database_name: str) -> None:
    database = connect(database_proxy.url(database_name), connections=1)

    prepared, limit = prepared_and_limit(database)
    database.dispose()

    assert prepared > 0
    assert limit == f"{0.9 * TIMEOUT_SECONDS:.0f}s"


def test_behind_a_pooler_nothing_is_prepared_and_the_session_is_left_as_it_is(database_proxy: DatabaseProxy, database_name: str) -> None:
    database_proxy.renames_process = True
    database = connect(database_proxy.url(database_name), connections=1)

    assert prepared_and_limit(database) == (0, "0")
    database.dispose()


def test_a_whole_campaign_runs_through_a_pooler_in_transaction_mode(postgres_server: PostgresServer, database_name: str) -> None:
    pooler = TransactionPooler(postgres_server.directory / ".s.PGSQL.5432", database_name)
    database = connect(pooler.url)

    check_schema(database)
    done = harness_of(database, 12).run_all()
    database.dispose()
    pooler.close()

    assert done == 84


def test_a_transaction_pooler_does_change_the_session(postgres_server: PostgresServer, database_name: str) -> None:
    """Else the test above would show nothing."""
    pooler = TransactionPooler(postgres_server.directory / ".s.PGSQL.5432", database_name)
    database = connect(pooler.url, connections=1)

    sessions = set()
    for _ in range(6):
        with database.read() as connection:
            sessions.add(connection.scalar(text("SELECT pg_backend_pid()")))
    database.dispose()
    pooler.close()

    assert len(sessions) == 3
