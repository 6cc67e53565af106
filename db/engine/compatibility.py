"""Which programs may work with a schema: during a rolling upgrade those of the version before do, beside the new ones.

Alembic's revision says which schema there is, `schema_compatibility.oldest_code` which program at least it needs. A program knows by its
own migrations every revision up to the one that it was made for, so it is new enough if it knows the one that is named.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select

from db.engine.migrations import alembic_config
from db.engine.tables import schema_compatibility
from db.errors import ProgramTooOld

if TYPE_CHECKING:
    from sqlalchemy import Connection


@cache
def known_revisions() -> tuple[str, ...]:
    """Every revision that this program has a migration for, the newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions())


def newest_revision() -> str:
    """The revision that this program's tables stand for."""
    return known_revisions()[0]


def check_program(oldest_code: str | None) -> None:
    """Raise `ProgramTooOld` unless this program may work with a schema that needs one made for `oldest_code` (None: it does not say)."""
    if oldest_code in known_revisions():
        return
    needed = "another" if oldest_code is None else f"one for schema {oldest_code} or later"
    mine = newest_revision()
    raise ProgramTooOld(
        f"this program, made for schema {mine}, is too old for the database, which needs {needed}: install the newer Paragone"
    )


def oldest_code(connection: Connection) -> str | None:
    """The oldest revision for which a program may have been made; None if the schema does not say."""
    if not inspect(connection).has_table(schema_compatibility.name):
        return None
    return connection.scalar(select(schema_compatibility.c.oldest_code))
