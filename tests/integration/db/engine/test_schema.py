from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import event, inspect, text

from db.engine import connect
from db.engine.schema import MIGRATION_LOCK, alembic_config, check_schema, current_revision, migrate, newest_revision
from db.errors import BadConfiguration, NotInitialised
from db.runtime import Runtime
from db.settings import Settings
from db.tables import metadata

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from db.engine import Database
    from tests.services.postgresql import PostgresServer


def described(database: Database) -> dict[str, str]:
    """Every table, column, constraint and index as the database itself describes it."""
    with database.engine.connect() as connection:
        if database.engine.dialect.name == "sqlite":
            rows = connection.execute(text("SELECT type || ' ' || name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))
            return {name: _plain(sql or "") for name, sql in rows}
        found: dict[str, str] = {}
        columns = (
            "SELECT 'column ' || table_name || '.' || column_name,"
            " concat_ws(' ', data_type, character_maximum_length, is_nullable, column_default)"
            " FROM information_schema.columns WHERE table_schema = 'public'"
        )
        constraints = (
            "SELECT 'constraint ' || conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
        )
        indexes = "SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        parameters = (
            "SELECT 'storage ' || relname, coalesce((SELECT string_agg(one, ', ' ORDER BY one) FROM unnest(reloptions) AS one), '')"
            " FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        for query in (columns, constraints, indexes, parameters):
            found |= dict(connection.execute(text(query)).all())
        return found


def _plain(sql: str) -> str:
    """SQLite keeps statements as they were written: without quotes, line ends and brackets around defaults they can be compared."""
    return " ".join(sql.replace('"', "").split()).replace("( ", "(").replace(" )", ")").replace("(false)", "false")


def without_alembic(found: dict[str, str]) -> dict[str, str]:
    return {name: definition for name, definition in found.items() if "alembic_version" not in name}


@pytest.fixture
def migrated_and_made(database_url: str, tmp_path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The migrated schema and the one that the tables' metadata makes."""
    database = connect(database_url)
    migrate(database)
    migrated = without_alembic(described(database))
    with database.engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    made = without_alembic(described(database))
    database.dispose()
    return migrated, made


def test_the_migrated_schema_is_the_one_that_the_tables_describe(migrated_and_made: tuple[dict[str, str], dict[str, str]]) -> None:
    migrated, made = migrated_and_made

    assert "index ix_jobs_claim" in migrated
    assert "DESC" in migrated["index ix_jobs_claim"]
    assert "'ready'" in migrated["index ix_jobs_claim"]
    assert "fillfactor=50" in migrated.get("storage leases", "fillfactor=50")
    assert migrated.keys() == made.keys()
    for name, definition in made.items():
        if not (name.startswith("table ") and definition.startswith("CREATE TABLE")):
            assert migrated[name] == definition
        else:
            assert sorted(parts(migrated[name])) == sorted(parts(definition))


def parts(definition: str) -> list[str]:
    """The columns and constraints of a CREATE TABLE, whose order may differ."""
    _, inner = definition.split("(", 1)
    found, depth, start = [], 0, 0
    for position, sign in enumerate(inner):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            found.append(inner[start:position].strip())
            start = position + 1
    return [*found, inner[start:].strip().removesuffix(")").strip()]


def test_alembic_finds_nothing_to_migrate(database: Database) -> None:
    with database.engine.connect() as connection:
        # Alembic cannot compare an index over an expression on SQLite; the test above does.
        skipped = "ix_jobs_claim" if database.engine.dialect.name == "sqlite" else None
        options = {"compare_type": True, "compare_server_default": True, "include_object": lambda _, name, *__: name != skipped}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_migrating_a_database_twice_is_harmless(database_url: str) -> None:
    database = connect(database_url)
    assert current_revision(database) is None
    migrate(database)
    before = described(database)
    with database.engine.begin() as connection:
        connection.execute(text("INSERT INTO ingests (catalogue, report, finished_at) VALUES ('x', '{}', 0)"))

    migrate(database)

    assert described(database) == before
    assert current_revision(database) == newest_revision()
    check_schema(database)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM ingests")).scalar_one() == 1
    database.dispose()


@pytest.mark.slow(reason="PostgreSQL only")
@pytest.mark.parametrize(("encoding", "cause"), [("SQL_ASCII", "has no encoding"), ("LATIN1", "is encoded in LATIN1")])
def test_a_database_that_cannot_hold_every_character_is_refused_at_init(postgres_server: PostgresServer, encoding: str, cause: str) -> None:
    name = f"in_{encoding.lower()}"
    postgres_server._execute(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE 'C' ENCODING '{encoding}'")
    database = connect(postgres_server.url(name))

    with pytest.raises(BadConfiguration, match=f"the database {name} {cause}.*create it with ENCODING 'UTF8'"):
        migrate(database)
    database.dispose()
    postgres_server.drop(name)


def test_two_that_migrate_at_once_both_succeed(database_url: str) -> None:
    """The second one has seen an empty database, and waits until the first one is done."""
    first, second = connect(database_url), connect(database_url)
    looked = threading.Event()

    def looking(_connection: Connection) -> None:
        looked.set()

    event.listen(second.engine, "rollback", looking)  # the look at the revision is over

    with ThreadPoolExecutor(1) as pool:
        with first.engine.begin() as connection:
            if first.is_postgresql:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            other = pool.submit(migrate, second)
            assert looked.wait(30)
            command.upgrade(alembic_config(connection), "head")
        other.result(60)

    check_schema(second)
    first.dispose()
    second.dispose()


def test_a_database_without_tables_says_what_to_run(database_url: str) -> None:
    database = connect(database_url)

    with pytest.raises(NotInitialised, match="no Paragone tables: run `paragone init`"):
        check_schema(database)
    database.dispose()


def test_a_database_of_another_version_says_which(database_url: str) -> None:
    database = connect(database_url)
    migrate(database)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '2026_11_23'"))

    with pytest.raises(NotInitialised, match=f"schema 2026_11_23, this program needs {newest_revision()}: run `paragone init`"):
        check_schema(database)
    database.dispose()


def test_a_configured_database_is_made_by_init_and_the_embedded_one_makes_itself(database_url: str, tmp_path: Path) -> None:
    configured = Runtime(Settings(data_dir=tmp_path / "a", database_url=SecretStr(database_url)))
    configured.initialise()
    assert "jobs" in inspect(configured.database.engine).get_table_names()
    configured.database.dispose()

    embedded = Runtime(Settings(data_dir=tmp_path / "b", database_url=SecretStr("")))
    assert "jobs" in inspect(embedded.database.engine).get_table_names()
    assert (tmp_path / "b" / "paragone.sqlite").exists()
    embedded.database.dispose()
