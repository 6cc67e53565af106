"""The engine for PostgreSQL: a small pool of connections that cannot hang, with or without a pooler in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event

from db.engine.deadline import DeadlineConnection
from db.engine.limits import server_limits
from db.errors import BadConfiguration

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

#: Seconds for each address of the server at most; libpq takes no less than 2.
CONNECT_SECONDS = 10.0
#: Seconds after which data that the other side does not acknowledge ends the connection.
UNACKNOWLEDGED_SECONDS = 15.0
#: A host that is gone is found after 10 + 3 x 5 seconds of silence, also on an idle connection.
KEEPALIVES = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
#: A statement is prepared on the server when it is run again so often.
PREPARE_THRESHOLD = 5
#: The encoding in which psycopg can give bytes only.
NO_ENCODING = "SQL_ASCII"


def postgresql_engine(url: URL, *, timeout_seconds: float, connections: int) -> Engine:
    """An engine whose threads share a few connections.

    No ping before each use: it doubles the round trips. A connection that a restart has cut fails once, the pool is emptied, and whoever
    failed tries again. hstore is not used, so its type is not asked for either.
    """
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=timeout_seconds,
        pool_use_lifo=True,  # idle ones stay idle, and a pooler or server may end them
        use_native_hstore=False,
    )
    network = {
        "connect_timeout": max(2, int(min(CONNECT_SECONDS, timeout_seconds))),
        "tcp_user_timeout": int(1000 * min(UNACKNOWLEDGED_SECONDS, timeout_seconds)),
        **KEEPALIVES,
    }

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> DeadlineConnection:
        # What the URL asks for goes before.
        return open_connection(*arguments, limit_seconds=timeout_seconds, **{**network, **parameters})

    @event.listens_for(engine, "checkin")
    def _default_limit(connection: DeadlineConnection | None, _record: Any) -> None:
        if connection is not None:
            connection.limit_seconds = timeout_seconds

    return engine


def open_connection(*arguments: Any, limit_seconds: float, **parameters: Any) -> DeadlineConnection:
    """A connection with limits on both sides; raises `BadConfiguration` for a database without an encoding."""
    parameters = {**parameters, "autocommit": True, "prepare_threshold": None}
    connection = DeadlineConnection.connect(*arguments, **parameters)
    connection.limit_seconds = limit_seconds
    try:
        _refuse_without_encoding(connection)
        if _is_direct(connection, server_limits(limit_seconds)):
            connection.prepare_threshold = PREPARE_THRESHOLD
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise
    return connection


def _is_direct(connection: DeadlineConnection, limits: dict[str, str]) -> bool:
    """Set the session's limits in one round trip, unless a pooler stands in between: whether none does.

    A pooler such as PgBouncer names itself at login, not the server's process. In transaction mode the session is another one after each
    transaction: a setting would stay with a stranger, and a statement prepared here would be missing there. Then the client's limit and
    those of the role (ALTER ROLE ... SET) remain. Not by startup options: poolers refuse them.
    """
    changes = " || ".join(f"set_config('{name}', '{value}', false)" for name, value in limits.items())
    pid = connection.pgconn.backend_pid
    row = connection.execute(f"SELECT CASE WHEN pg_backend_pid() = {pid} THEN {changes} END".encode()).fetchone()
    return row is not None and row[0] is not None


def _refuse_without_encoding(connection: DeadlineConnection) -> None:
    if connection.info.parameter_status("server_encoding") == NO_ENCODING:
        raise BadConfiguration(f"the database {connection.info.dbname} has no encoding ({NO_ENCODING}): create it with ENCODING 'UTF8'")
