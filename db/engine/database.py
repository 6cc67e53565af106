"""A database and its transactions: queries read, changes are written by a function that can be run again."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from db.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: PostgreSQL's deadlock_detected and serialization_failure: the transaction was rolled back and may be run again as it is.
RETRIED_SQLSTATES = frozenset({"40P01", "40001"})
#: PostgreSQL's read_only_sql_transaction: after a failover the connection leads to a standby.
READ_ONLY = "25006"
#: SQLite's primary result codes for a file that cannot be used now: busy, locked, read-only, an I/O error, a full disk, not to be opened.
SQLITE_AWAY = frozenset({5, 6, 8, 10, 13, 14})
#: SQLite's primary result code for a lock that was not granted, also as one of its extended codes.
SQLITE_BUSY = 5
#: How often a transaction is run at most.
TRIES = 4
#: Seconds before the second try; each further one waits as much longer.
RETRY_SECONDS = 0.02


class Database:
    """One SQLAlchemy engine behind two verbs: `read` and `write`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # Views of the engine, made once: on PostgreSQL a single statement needs no BEGIN and COMMIT.
        self._autocommit = engine.execution_options(isolation_level="AUTOCOMMIT") if self.is_postgresql else engine
        self._reading = self._autocommit if self.is_postgresql else engine.execution_options(read_only=True)

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL; otherwise it is SQLite."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for queries only: on SQLite they do not queue behind writers, on PostgreSQL they need no BEGIN and COMMIT.

        Raises:
            DatabaseUnavailable: the database does not answer; what was asked may be asked again later.
        """
        with _answering(), self._reading.connect() as connection:
            yield connection

    def write(self, transaction: Callable[[Connection], T], *, single_statement: bool = False) -> T:
        """Run a whole transaction and return what it returns; run it again if the database aborted it for crossing another.

        On SQLite it is BEGIN IMMEDIATE: a deferred transaction that turns into a writer can fail at once. The transaction must not keep
        anything from a try that was rolled back.

        Args:
            transaction: does all of its work on the connection that it is given.
            single_statement: it is one statement, which on PostgreSQL needs one round trip instead of three.

        Raises:
            DatabaseUnavailable: the database does not answer; the transaction may be run again later.
            sqlalchemy.exc.DBAPIError: what the last of `TRIES` tries raised, or at once what trying again would not change.
        """
        with _answering():
            return self._write(transaction, single_statement=single_statement)

    def _write(self, transaction: Callable[[Connection], T], *, single_statement: bool) -> T:
        engine = self._autocommit if single_statement else self.engine
        for tried in range(1, TRIES):
            try:
                with engine.begin() as connection:
                    return transaction(connection)
            except DBAPIError as error:
                if not was_aborted(error):
                    raise
                logger.debug("a transaction was aborted and is run again: %s", error.orig)
                time.sleep(RETRY_SECONDS * tried)
        with engine.begin() as connection:
            return transaction(connection)

    def dispose(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()


@contextmanager
def _answering() -> Iterator[None]:
    """Tell a database that is away from one that refuses."""
    try:
        yield
    except NoFreeConnection as error:
        raise DatabaseUnavailable(f"the database does not answer ({error}): check PARAGONE_DATABASE_URL and that it runs") from error
    except DBAPIError as error:
        if not is_unavailable(error):
            raise
        cause = " ".join(str(error.orig).split()) or "no answer"
        raise DatabaseUnavailable(f"the database does not answer ({cause}): check PARAGONE_DATABASE_URL and that it runs") from error


def is_unavailable(error: DBAPIError) -> bool:
    """Whether the database is away, locked, full or read-only, rather than refusing this statement: it may be there again later."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return int(code) & 0xFF in SQLITE_AWAY
    return isinstance(error, OperationalError | InterfaceError) or getattr(error.orig, "sqlstate", None) == READ_ONLY


def was_aborted(error: DBAPIError) -> bool:
    """Whether the database rolled a transaction back for crossing another one: a deadlock, a serialization failure, a busy SQLite file."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return int(code) & 0xFF == SQLITE_BUSY
    return getattr(error.orig, "sqlstate", None) in RETRIED_SQLSTATES
