"""From a URL to a database: SQLite or PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import NoSuchModuleError

from db.engine.database import Database
from db.engine.limits import CONNECTIONS, TIMEOUT_SECONDS
from db.engine.sqlite import sqlite_engine
from db.engine.url import PLAIN, parse_url
from db.errors import BadConfiguration

if TYPE_CHECKING:
    from sqlalchemy import URL


def connect(url: str | URL, *, timeout_seconds: float = TIMEOUT_SECONDS, connections: int = CONNECTIONS) -> Database:
    """The database at `url`; nothing is sent to it yet.

    Args:
        url: as SQLAlchemy takes it.
        timeout_seconds: what a statement, a lock or a free connection may take before the database counts as away.
        connections: to PostgreSQL, at most; threads share them.

    Raises:
        BadConfiguration: the URL is neither SQLite's nor PostgreSQL's, or cannot work.
    """
    parsed = parse_url(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            return Database(sqlite_engine(parsed, timeout_seconds=timeout_seconds), timeout_seconds=timeout_seconds)
        if parsed.get_backend_name() == "postgresql":
            # Imported when it is used: SQLite needs no psycopg.
            from db.engine.postgresql import postgresql_engine

            engine = postgresql_engine(parsed, timeout_seconds=timeout_seconds, connections=connections)
            return Database(engine, timeout_seconds=timeout_seconds)
    except NoSuchModuleError:
        pass
    except ImportError:
        raise BadConfiguration(f"PARAGONE_DATABASE_URL asks for a driver that is not installed: write {PLAIN} instead") from None
    raise BadConfiguration(f"PARAGONE_DATABASE_URL names {parsed.drivername!r}: use PostgreSQL or SQLite")
