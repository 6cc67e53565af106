"""A PostgreSQL that is lost on the way: nobody waits for ever, and the next transaction finds a new connection."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from db.engine import connect
from db.engine.bulk import bulk_insert
from db.engine.limits import allow
from db.errors import DatabaseUnavailable
from db.tables import ingests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from db.engine import Database
    from tests.services.database_proxy import DatabaseProxy
    from tests.services.postgresql import PostgresServer

#: Seconds; short, and long enough for a busy machine.
TIMEOUT = 2.0

pytestmark = [
    pytest.mark.slow(reason="waits for time limits"),
    pytest.mark.timeout(60),  # without a limit these tests hang
]

INSERT = text("INSERT INTO ingests (catalogue, report, finished_at) VALUES ('x', '{}', 0)")


@pytest.fixture
def database_name(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A database with empty tables."""
    name = postgres_server.create(template=postgres_template)
    yield name
    postgres_server.drop(name)


@pytest.fixture
def distant(database_proxy: DatabaseProxy, database_name: str) -> Iterator[Database]:
    """That database behind the proxy, with one connection that works."""
    database = connect(database_proxy.url(database_name), timeout_seconds=TIMEOUT, connections=1)
    assert rows(database) == 0
    yield database
    database.dispose()


def rows(database: Database) -> int:
    with database.read() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM ingests")) or 0)


def insert(connection: Connection) -> None:
    connection.execute(INSERT)


def test_a_read_through_a_connection_that_leads_nowhere_ends_and_the_next_takes_a_new_one(
    distant: Database, database_proxy: DatabaseProxy
) -> None:
    database_proxy.black_hole()

    with pytest.raises(DatabaseUnavailable, match="no answer within 2 s"):
        rows(distant)

    assert rows(distant) == 0
    assert database_proxy.connections == 2


@pytest.mark.parametrize("single_statement", [True, False])
def test_a_write_through_a_connection_that_leads_nowhere_ends_and_can_be_run_again(
    distant: Database, database_proxy: DatabaseProxy, single_statement: bool
) -> None:
    database_proxy.black_hole()

    with pytest.raises(DatabaseUnavailable, match="no answer"):
        distant.write(insert, single_statement=single_statement)
    distant.write(insert, single_statement=single_statement)

    assert rows(distant) == 1


def test_a_commit_that_is_never_answered_ends_too(distant: Database, database_proxy: DatabaseProxy) -> None:
    def lost_before_commit(connection: Connection) -> None:
        insert(connection)
        database_proxy.black_hole()

    with pytest.raises(DatabaseUnavailable, match="no answer"):
        distant.write(lost_before_commit)

    assert rows(distant) == 0


def test_a_bulk_load_that_leads_nowhere_ends_too(distant: Database, database_proxy: DatabaseProxy) -> None:
    def load(connection: Connection) -> None:
        bulk_insert(connection, ingests, ("catalogue", "report", "finished_at"), values(connection))

    def values(connection: Connection) -> Iterator[tuple[str, str, float]]:
        connection.connection.dbapi_connection.limit_seconds = TIMEOUT  # type: ignore[union-attr]  # not half an hour
        yield "x", "{}", 0.0
        database_proxy.black_hole()

    with pytest.raises(DatabaseUnavailable, match="no answer"):
        distant.write(load)

    assert rows(distant) == 0


def test_connections_that_are_cut_fail_once(distant: Database, database_proxy: DatabaseProxy) -> None:
    database_proxy.cut()

    with pytest.raises(DatabaseUnavailable, match="check PARAGONE_DATABASE_URL and that it runs"):
        rows(distant)

    assert rows(distant) == 0


def test_a_server_that_takes_the_connection_and_never_answers_is_not_waited_for(database_proxy: DatabaseProxy, database_name: str) -> None:
    database_proxy.swallows = True
    database = connect(database_proxy.url(database_name), timeout_seconds=TIMEOUT)

    with pytest.raises(DatabaseUnavailable, match="timeout"):
        rows(database)

    database_proxy.swallows = False
    assert rows(database) == 0
    database.dispose()


def test_a_thread_that_finds_no_free_connection_is_told_so(distant: Database) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with distant.read():
            held.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(30)
    with pytest.raises(DatabaseUnavailable, match="no connection was free for 2 s"):
        rows(distant)
    done.set()
    holder.join(30)

    assert rows(distant) == 0


def test_the_server_ends_a_statement_a_little_before_the_client_gives_it_up(distant: Database, database_proxy: DatabaseProxy) -> None:
    with pytest.raises(DatabaseUnavailable, match="statement timeout"), distant.read() as connection:
        connection.execute(text("SELECT pg_sleep(30)"))

    assert rows(distant) == 0
    assert database_proxy.connections == 1


def test_a_lock_that_is_not_granted_is_told_as_such(distant: Database, postgres_server: PostgresServer, database_name: str) -> None:
    other = connect(postgres_server.url(database_name))

    def waits(connection: Connection) -> None:
        connection.execute(text("LOCK TABLE ingests"))
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            distant.write(insert)

    with other.engine.begin() as connection:
        waits(connection)
    other.dispose()
    distant.write(insert)

    assert rows(distant) == 1


def test_a_transaction_that_stands_still_is_ended_by_the_server(distant: Database) -> None:
    def stands_still(connection: Connection) -> None:
        insert(connection)
        time.sleep(TIMEOUT)
        insert(connection)

    with pytest.raises(DatabaseUnavailable):
        distant.write(stands_still)

    assert rows(distant) == 0


def test_what_is_meant_to_be_long_may_be_long_and_nothing_after_it(distant: Database) -> None:
    def limits(connection: Connection) -> tuple[str, float]:
        raw = connection.connection.dbapi_connection
        return str(connection.scalar(text("SHOW statement_timeout"))), raw.limit_seconds  # type: ignore[union-attr]

    def asked_inside(connection: Connection) -> tuple[str, float]:
        allow(connection, 50.0)
        return limits(connection)

    with distant.read(timeout_seconds=100.0) as connection:
        assert limits(connection) == ("90s", 100.0)
    assert distant.write(limits, timeout_seconds=100.0) == ("90s", 100.0)
    assert distant.write(asked_inside) == ("45s", 50.0)
    with distant.read() as connection:
        assert limits(connection) == ("1800ms", TIMEOUT)


def test_after_a_failover_to_a_standby_the_server_that_takes_writes_is_looked_for(
    distant: Database, postgres_server: PostgresServer, database_name: str
) -> None:
    """A session keeps what the database had at its login, as a connection keeps its server."""
    postgres_server._execute(f'ALTER DATABASE "{database_name}" SET default_transaction_read_only = on')
    distant.dispose()
    assert rows(distant) == 0
    postgres_server._execute(f'ALTER DATABASE "{database_name}" RESET default_transaction_read_only')

    with pytest.raises(DatabaseUnavailable, match="read-only transaction"):
        distant.write(insert)
    distant.write(insert)

    assert rows(distant) == 1
