"""A database and its transactions: queries read, changes are written by a function that can be run again."""

from __future__ import annotations

import logging
import threading
import time
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from db.engine.limits import TIMEOUT_SECONDS, allow
from db.engine.outage_log import OutageLog
from db.engine.unavailable import is_unavailable, leads_to_a_standby, unavailable, was_aborted
from db.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: How often a transaction is run at most.
TRIES = 4
#: Seconds before the second try; each further one waits as much longer.
RETRY_SECONDS = 0.02


class Database:
    """One SQLAlchemy engine behind two verbs: `read` and `write`.

    Threads share its few connections, so a transaction opens no other one: threads that each hold one and wait for a second wait for each
    other. That draws a ResourceWarning, which tests take as an error.
    """

    def __init__(self, engine: Engine, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.engine = engine
        self._timeout_seconds = timeout_seconds
        # Views of the engine, made once: on PostgreSQL a single statement needs no BEGIN and COMMIT.
        self._autocommit = engine.execution_options(isolation_level="AUTOCOMMIT") if self.is_postgresql else engine
        self._reading_long = engine.execution_options(read_only=True)
        self._reading = self._autocommit if self.is_postgresql else self._reading_long
        self._outages = OutageLog()
        self._thread = threading.local()

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL; otherwise it is SQLite."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def read(self, *, timeout_seconds: float | None = None) -> Iterator[Connection]:
        """A connection for queries only: on SQLite they do not queue behind writers, on PostgreSQL they need no BEGIN and COMMIT.

        Args:
            timeout_seconds: what each query may take, if it is more than usual; then they run in a transaction.

        Raises:
            DatabaseUnavailable: the database does not answer; what was asked may be asked again later.
        """
        engine = self._reading if timeout_seconds is None else self._reading_long
        with self._answering(writing=False), engine.connect() as connection:
            if timeout_seconds is not None:
                allow(connection, timeout_seconds)
            yield connection

    def write(self, transaction: Callable[[Connection], T], *, single_statement: bool = False, timeout_seconds: float | None = None) -> T:
        """Run a whole transaction and return what it returns; run it again if the database aborted it for crossing another.

        On SQLite it is BEGIN IMMEDIATE: a deferred transaction that turns into a writer can fail at once. The transaction must not keep
        anything from a try that was rolled back.

        Args:
            transaction: does all of its work on the connection that it is given.
            single_statement: it is one statement, which on PostgreSQL needs one round trip instead of three.
            timeout_seconds: what each statement may take, if it is more than usual.

        Raises:
            DatabaseUnavailable: the database does not answer; the transaction may be run again later.
            sqlalchemy.exc.DBAPIError: what the last of `TRIES` tries raised, or at once what trying again would not change.
        """
        engine = self._autocommit if single_statement and timeout_seconds is None else self.engine

        def run() -> T:
            with engine.begin() as connection:
                if timeout_seconds is not None:
                    allow(connection, timeout_seconds)
                return transaction(connection)

        with self._answering(writing=True):
            return self._run_again(run)

    def _run_again(self, run: Callable[[], T]) -> T:
        # A SQLite file that was busy for so long already is not waited for again.
        deadline = time.monotonic() + self._timeout_seconds
        for tried in range(1, TRIES):
            try:
                return run()
            except DBAPIError as error:
                if not was_aborted(error) or time.monotonic() > deadline:
                    raise
                logger.debug("a transaction was aborted and is run again: %s", error.orig)
                time.sleep(RETRY_SECONDS * tried)
        return run()

    def ping(self) -> None:
        """Ask for nothing but an answer; raises `DatabaseUnavailable`."""
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def dispose(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()

    @contextmanager
    def _answering(self, *, writing: bool) -> Iterator[None]:
        """Tell a database that is away from one that refuses, and the log of both moments."""
        if getattr(self._thread, "busy", False):
            warnings.warn("a transaction within a transaction takes a second connection of a small pool", ResourceWarning, stacklevel=4)
        self._thread.busy = True
        try:
            yield
        except NoFreeConnection as error:
            trouble = DatabaseUnavailable(f"the database does not answer (no connection was free for {self._timeout_seconds:g} s)")
            self._outages.failed(trouble, writing=writing)
            raise trouble from error
        except DBAPIError as error:
            if not is_unavailable(error):
                raise
            if leads_to_a_standby(error):
                self.engine.dispose()  # else every connection of the pool would be tried
            trouble = unavailable(error, self.engine)
            self._outages.failed(trouble, writing=writing)
            raise trouble from error
        else:
            self._outages.worked(writing=writing)
        finally:
            self._thread.busy = False
