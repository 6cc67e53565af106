"""Many rows at once: COPY on PostgreSQL, one prepared statement run many times on SQLite."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import bindparam, text, update

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
        cursor = connection.connection.cursor()
        with cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.close()
        return
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608  # names from our own tables
    remaining = iter(rows)
    while chunk := [tuple(row) for row in islice(remaining, CHUNK)]:
        connection.exec_driver_sql(statement, chunk)


def analyze(connection: Connection, *tables: Table) -> None:
    """Let the planner know what a bulk load brought; without it the first claims may scan."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA analysis_limit = 1000"))
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
