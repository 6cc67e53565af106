"""Telling a database that is away from one that refuses, and saying what is the matter with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import InterfaceError, OperationalError

from db.engine.trust import trust_fault
from db.errors import DatabaseNotTrusted, DatabaseUnavailable

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.exc import DBAPIError

#: PostgreSQL's deadlock_detected and serialization_failure: the transaction was rolled back and may be run again as it is.
RETRIED_SQLSTATES = frozenset({"40P01", "40001"})
#: PostgreSQL's read_only_sql_transaction: after a failover the connection leads to a standby.
READ_ONLY = "25006"
#: SQLite's primary result codes for a file that cannot be used now, with what is the matter and what to do.
SQLITE_AWAY = {
    5: ("is locked by another process", "wait until it has ended"),
    6: ("is locked by another process", "wait until it has ended"),
    8: ("is read-only", "check its permissions and its disk"),
    10: ("cannot be read or written", "check its disk, and that it is not full"),
    13: ("has a full disk", "free some space"),
    14: ("cannot be opened", "check its folder, its permissions and its disk"),
}
#: SQLite's primary result code for a lock that was not granted, also as one of its extended codes.
SQLITE_BUSY = 5


def is_unavailable(error: DBAPIError) -> bool:
    """Whether the database is away, locked, full or read-only, rather than refusing this statement: it may be there again later."""
    code = sqlite_code(error)
    if code is not None:
        return code in SQLITE_AWAY
    # Also a connection that the server ended for being idle in a transaction, which is none of the first two.
    return isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated or _sqlstate(error) == READ_ONLY


def was_aborted(error: DBAPIError) -> bool:
    """Whether the database rolled a transaction back for crossing another one: a deadlock, a serialization failure, a busy SQLite file."""
    code = sqlite_code(error)
    if code is not None:
        return code == SQLITE_BUSY
    return _sqlstate(error) in RETRIED_SQLSTATES


def leads_to_a_standby(error: DBAPIError) -> bool:
    """Whether the connection works, but to a server that takes no writes: the one that does is found by a new connection."""
    return _sqlstate(error) == READ_ONLY


def unavailable(error: DBAPIError, engine: Engine) -> DatabaseUnavailable:
    """One line about a database that is away: its cause and what to look at."""
    cause = cause_of(error)
    code = sqlite_code(error)
    if code is not None:
        matter, remedy = SQLITE_AWAY[code]
        return DatabaseUnavailable(f"the database {engine.url.database} {matter} ({cause}): {remedy}")
    if mend := trust_fault(cause):
        return DatabaseNotTrusted(f"the database cannot be trusted ({cause}): {mend}")
    if _sqlstate(error) and not error.connection_invalidated:
        return DatabaseUnavailable(f"the database cannot do it now ({cause}): look at its server")
    return DatabaseUnavailable(f"the database does not answer ({cause}): check PARAGONE_DATABASE_URL and that it runs")


def cause_of(error: DBAPIError) -> str:
    """What the driver says, on one line."""
    return " ".join(str(error.orig).split()) or "no answer"


def sqlite_code(error: DBAPIError) -> int | None:
    """SQLite's primary result code; None on PostgreSQL."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def _sqlstate(error: DBAPIError) -> str | None:
    state = getattr(error.orig, "sqlstate", None)
    return None if state is None else str(state)
