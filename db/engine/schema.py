"""The schema: created and migrated by Alembic, checked at the start of every command."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from db.engine.compatibility import check_program, known_revisions, newest_revision, oldest_code
from db.engine.migrations import alembic_config
from db.engine.sqlite import alone_in_folder
from db.engine.unavailable import sqlite_code
from db.errors import BadConfiguration, NotInitialised

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.engine import Database

__all__ = ["alembic_config", "check_schema", "current_revision", "migrate", "newest_revision"]

#: Held by whoever migrates, on PostgreSQL; SQLite has one writer anyway.
MIGRATION_LOCK = 0x70617261676F6E65
#: Seconds for one statement of a migration: a little more than `migrations/env.py` lets the server take.
MIGRATION_SECONDS = 2000.0
#: SQLite's result code for a file that holds something else.
SQLITE_NOT_A_DATABASE = 26


def migrate(database: Database) -> None:
    """Create the schema or bring it to this program's version; harmless if it is there, or if another process does it at the same time.

    A schema that a newer program has made stays as it is.

    Raises:
        BadConfiguration: the database cannot hold every character.
        ProgramTooOld: a newer program has made the schema, and this one cannot work with it.
    """
    found = current_revision(database)
    if found == newest_revision():
        return
    if found is not None and found not in known_revisions():
        check_schema(database)
        return

    def upgrade(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            _check_encoding(connection)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        command.upgrade(alembic_config(connection), "head")  # of no effect if another process was first

    with nullcontext() if database.is_postgresql else alone_in_folder(database.engine.url):
        database.write(upgrade, timeout_seconds=MIGRATION_SECONDS)


def check_schema(database: Database) -> None:
    """Raise unless this program may work with the schema: it is its own, or a later one that still takes it.

    Raises:
        NotInitialised: there is none, or an earlier one.
        ProgramTooOld: it is a later one that needs a newer program.
    """
    found, wanted = current_revision(database), newest_revision()
    if found is None:
        raise NotInitialised("the database has no Paragone tables: run `paragone init`")
    if found == wanted:
        return
    if found in known_revisions():
        raise NotInitialised(f"the database is at schema {found}, this program needs {wanted}: run `paragone init`")
    with database.read() as connection:
        oldest = oldest_code(connection)
    check_program(oldest)


def current_revision(database: Database) -> str | None:
    """The revision of the database, None before the first migration; raises `DatabaseUnavailable` and `BadConfiguration`."""
    try:
        with database.read() as connection:
            return _revision(connection)
    except DatabaseError as error:
        if sqlite_code(error) != SQLITE_NOT_A_DATABASE:
            raise
        raise BadConfiguration(f"{database.engine.url.database} is not a database: check PARAGONE_DATABASE_URL") from None


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _check_encoding(connection: Connection) -> None:
    found = connection.scalar(text("SHOW server_encoding"))
    if found != "UTF8":
        name = connection.engine.url.database
        raise BadConfiguration(f"the database {name} is encoded in {found}, which lacks characters: create it with ENCODING 'UTF8'")
