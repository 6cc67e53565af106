"""Many rows at once: COPY on PostgreSQL, one prepared statement run many times on SQLite."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import bindparam, text, update
from sqlalchemy.exc import DBAPIError

from db.engine.limits import BULK_SECONDS, allow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection, Table

T = TypeVar("T")

#: Rows given to SQLite's driver in one call.
CHUNK = 10_000

#: Numbers that one IN (...) may carry: SQLite before 3.32 stops at 999.
PARAMETERS = 900


def bulk_insert(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Append rows given as sequences in the order of `columns`; values must be plain (JSON columns as text)."""
    if connection.dialect.name == "postgresql":
        allow(connection, BULK_SECONDS)  # the server counts from the first row to the last
        _copy(connection, f"COPY {table.name} ({', '.join(columns)}) FROM STDIN", rows)
        return
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608  # names from our own tables
    remaining = iter(rows)
    while chunk := [tuple(row) for row in islice(remaining, CHUNK)]:
        connection.exec_driver_sql(statement, chunk)


def _copy(connection: Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """Run COPY on the driver's own cursor, and raise its errors as SQLAlchemy's: those of a database that is away are known by them."""
    driver = connection.dialect.loaded_dbapi
    cursor: Any = connection.connection.cursor()
    try:
        with cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except driver.Error as error:
        lost = bool(connection.connection.dbapi_connection.closed)  # type: ignore[union-attr]
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(statement, None, error, driver.Error, connection_invalidated=lost, dialect=connection.dialect) from error


def analyze(connection: Connection, *tables: Table) -> None:
    """Let the planner know what a bulk load brought; without it the first claims may scan."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA analysis_limit = 1000"))
    allow(connection, BULK_SECONDS)
    for table in tables:
        connection.execute(text(f"ANALYZE {table.name}"))


def update_by_id(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Update the row `the_id` of each to its other values; all must name the same columns."""
    if rows:
        names = [name for name in rows[0] if name != "the_id"]
        statement = update(table).where(table.c.id == bindparam("the_id")).values({name: bindparam(name) for name in names})
        connection.execute(statement, list(rows))


def runs(values: Sequence[T], size: int = PARAMETERS) -> Iterator[Sequence[T]]:
    """The values in runs that fit one statement."""
    return (values[start : start + size] for start in range(0, len(values), size))
