"""How long the database may take: limits of every statement, and the way out for those that are meant to be long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Seconds that one statement may take unless more is allowed.
TIMEOUT_SECONDS = 10.0
#: Connections to PostgreSQL that one process holds at most, unless the settings say otherwise.
CONNECTIONS = 3
#: Seconds that a statement over a whole catalogue or campaign may take.
BULK_SECONDS = 1800.0

#: The server ends a statement at this share of the client's limit: then the cause is its own, and the connection stays.
SERVER_SHARE = 0.9
#: A lock that is not granted is told as such, before the statement as a whole is too long.
LOCK_SHARE = 0.8


def server_limits(seconds: float) -> dict[str, str]:
    """PostgreSQL's settings that end what a client with a limit of so many seconds no longer waits for."""
    return {
        "statement_timeout": _milliseconds(seconds * SERVER_SHARE),
        "lock_timeout": _milliseconds(seconds * LOCK_SHARE),
        # A client that vanished in a transaction keeps its locks until then.
        "idle_in_transaction_session_timeout": _milliseconds(seconds * SERVER_SHARE),
    }


def allow(connection: Connection, seconds: float) -> None:
    """Let each further statement of this transaction take so long; harmless on SQLite, whose statements have no limit."""
    if connection.dialect.name != "postgresql":
        return
    # Not by SET alone: it would outlive the transaction, and a pooler hands the session to another client then.
    changes = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in server_limits(seconds).items())
    connection.execute(text(f"SELECT {changes}"))
    # Until the connection returns to the pool (db.engine.postgresql).
    connection.connection.dbapi_connection.limit_seconds = seconds  # type: ignore[union-attr]


def _milliseconds(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"
