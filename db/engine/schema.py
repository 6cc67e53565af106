"""The schema: created and migrated by Alembic, checked at the start of every command."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from db.engine.sqlite import alone_in_folder
from db.engine.unavailable import sqlite_code
from db.errors import BadConfiguration, NotInitialised

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.engine import Database

_MIGRATIONS = Path(__file__).parent.parent / "migrations"

#: Held by whoever migrates, on PostgreSQL; SQLite has one writer anyway.
MIGRATION_LOCK = 0x70617261676F6E65
#: Seconds for one statement of a migration: a little more than `migrations/env.py` lets the server take.
MIGRATION_SECONDS = 2000.0
#: SQLite's result code for a file that holds something else.
SQLITE_NOT_A_DATABASE = 26


def migrate(database: Database) -> None:
    """Create the schema or bring it to this program's version; harmless if it is there, or if another process does it at the same time.

    Raises:
        BadConfiguration: the database cannot hold every character.
    """
    if current_revision(database) == newest_revision():
        return

    def upgrade(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            _check_encoding(connection)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        command.upgrade(alembic_config(connection), "head")  # of no effect if another process was first

    with nullcontext() if database.is_postgresql else alone_in_folder(database.engine.url):
        database.write(upgrade, timeout_seconds=MIGRATION_SECONDS)


def check_schema(database: Database) -> None:
    """Raise `NotInitialised` unless the schema is exactly this program's."""
    found, wanted = current_revision(database), newest_revision()
    if found is None:
        raise NotInitialised("the database has no Paragone tables: run `paragone init`")
    if found != wanted:
        raise NotInitialised(f"the database is at schema {found}, this program needs {wanted}: run `paragone init` with the newer program")


def current_revision(database: Database) -> str | None:
    """The revision of the database, None before the first migration; raises `DatabaseUnavailable` and `BadConfiguration`."""
    try:
        with database.read() as connection:
            return _revision(connection)
    except DatabaseError as error:
        if sqlite_code(error) != SQLITE_NOT_A_DATABASE:
            raise
        raise BadConfiguration(f"{database.engine.url.database} is not a database: check PARAGONE_DATABASE_URL") from None


def newest_revision() -> str | None:
    """The revision that this program's tables stand for."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; a command that changes the schema does it on the connection."""
    config = Config()
    config.attributes["connection"] = connection
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))  # it is interpolated
    config.set_main_option("path_separator", "os")
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _check_encoding(connection: Connection) -> None:
    found = connection.scalar(text("SHOW server_encoding"))
    if found != "UTF8":
        name = connection.engine.url.database
        raise BadConfiguration(f"the database {name} is encoded in {found}, which lacks characters: create it with ENCODING 'UTF8'")
