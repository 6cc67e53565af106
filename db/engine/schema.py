"""The schema: created and migrated by Alembic, checked at the start of every command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DatabaseError

from db.errors import DatabaseUnavailable, NotInitialised

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.engine import Database

_MIGRATIONS = Path(__file__).parent.parent / "migrations"


def migrate(database: Database) -> None:
    """Create the schema or bring it to this program's version; harmless if it is there."""
    if current_revision(database) == newest_revision():
        return

    database.write(lambda connection: command.upgrade(alembic_config(connection), "head"))


def check_schema(database: Database) -> None:
    """Raise `NotInitialised` unless the schema is exactly this program's."""
    found, wanted = current_revision(database), newest_revision()
    if found is None:
        raise NotInitialised("the database has no Paragone tables: run `paragone init`")
    if found != wanted:
        raise NotInitialised(f"the database is at schema {found}, this program needs {wanted}: run `paragone init` with the newer program")


def current_revision(database: Database) -> str | None:
    """The revision of the database, None before the first migration; raises `DatabaseUnavailable`."""
    try:
        with database.read() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DatabaseError as error:  # also: a file that is no SQLite database
        cause = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
        raise DatabaseUnavailable(f"the database does not answer ({cause}): check PARAGONE_DATABASE_URL and that it runs") from None


def newest_revision() -> str | None:
    """The revision that this program's tables stand for."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; a command that changes the schema does it on the connection."""
    config = Config()
    config.attributes["connection"] = connection
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
