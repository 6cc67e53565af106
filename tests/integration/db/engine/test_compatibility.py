"""Which programs a database takes: its own, those of an earlier schema that it still allows, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from db.engine import connect
from db.engine.compatibility import known_revisions, newest_revision, oldest_code
from db.engine.schema import check_schema, current_revision, migrate
from db.errors import NotInitialised, ProgramTooOld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.engine import Database

LATER = "2099_01_01"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database of each kind of the test's own: what it says of itself is changed here."""
    database = connect(database_url)
    migrate(database)
    yield database
    database.dispose()


def now_at(database: Database, revision: str, oldest: str | None) -> None:
    """As if a later program had migrated the database."""
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        if oldest is None:
            connection.execute(text("DROP TABLE schema_compatibility"))
        else:
            connection.execute(text("UPDATE schema_compatibility SET oldest_code = :oldest"), {"oldest": oldest})


def test_the_schema_takes_programs_of_the_version_before(database: Database) -> None:
    with database.read() as connection:
        assert oldest_code(connection) in known_revisions()[1:]
    check_schema(database)


@pytest.mark.parametrize("oldest", known_revisions())
def test_a_later_schema_that_still_takes_this_program_is_used_and_left_as_it_is(database: Database, oldest: str) -> None:
    now_at(database, LATER, oldest)

    check_schema(database)
    migrate(database)

    assert current_revision(database) == LATER


def test_a_program_that_is_too_old_is_refused_in_one_line_that_names_both_versions(database: Database) -> None:
    now_at(database, LATER, LATER)

    for attempt in (check_schema, migrate):
        with pytest.raises(ProgramTooOld) as refusal:
            attempt(database)
        assert str(refusal.value) == (
            f"this program, made for schema {newest_revision()}, is too old for the database, which needs one for schema {LATER} or later:"
            " install the newer Paragone"
        )
    assert current_revision(database) == LATER


def test_an_unknown_schema_that_says_nothing_is_not_touched(database: Database) -> None:
    now_at(database, LATER, None)

    with pytest.raises(ProgramTooOld, match="is too old for the database, which needs another"):
        check_schema(database)


def test_a_program_that_is_newer_than_the_database_asks_for_its_migration(database: Database) -> None:
    now_at(database, known_revisions()[1], known_revisions()[1])

    with pytest.raises(
        NotInitialised, match=f"at schema {known_revisions()[1]}, this program needs {newest_revision()}: run `paragone init`"
    ):
        check_schema(database)
