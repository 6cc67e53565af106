"""One SQLAlchemy engine for both databases: SQLite in WAL with explicit transactions, PostgreSQL through psycopg."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from db.engine.database import Database
from db.errors import BadConfiguration

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_PLAIN = "postgresql://user@host/name"

#: Seconds that a writer waits for another one on SQLite before it gives up.
SQLITE_BUSY_SECONDS = 30


def connect(url: str) -> Database:
    """The database at `url`; raises `BadConfiguration` for a URL that is neither SQLite nor PostgreSQL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadConfiguration(f"PARAGONE_DATABASE_URL is not a URL: write {_PLAIN} or sqlite:///file") from None
    try:
        if parsed.get_backend_name() == "sqlite":
            return Database(_sqlite(url, parsed.database))
        if parsed.get_backend_name() == "postgresql":
            # No ping before each use: it doubles the round trips. A connection that a restart has cut fails once, the pool is emptied,
            # and whoever failed tries again.
            return Database(create_engine(url, pool_size=8, max_overflow=64))
    except NoSuchModuleError:
        pass
    except ImportError:
        raise BadConfiguration(f"PARAGONE_DATABASE_URL asks for a driver that is not installed: write {_PLAIN} instead") from None
    raise BadConfiguration(f"PARAGONE_DATABASE_URL names {parsed.drivername!r}: use PostgreSQL or SQLite")


def display_url(url: str) -> str:
    """The URL as it may be shown: with `***` for a password."""
    return make_url(url).render_as_string(hide_password=True)


def _sqlite(url: str, database: str | None) -> Engine:
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": SQLITE_BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # pysqlite must not begin transactions behind our back
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # A commit survives the death of the process; only a power cut may take the last ones, and their blobs are made again.
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that turns into a writer can fail with "database is locked" at once: writers say so first.
        read_only = connection.get_execution_options().get("read_only")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
