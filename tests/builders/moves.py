"""Which moves from state to state jobs make, written down by SQLite itself, whichever statement makes them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text

from db.jobs.transitions import INITIAL_STATES, TRANSITIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from db.engine import Database

#: A state and the one that followed; None where the job was planned.
Move = tuple[str | None, str]

#: What the table of transitions allows.
ALLOWED_MOVES: frozenset[Move] = frozenset(
    {(str(state), str(following)) for state, allowed in TRANSITIONS.items() for following in allowed}
    | {(None, str(state)) for state in INITIAL_STATES}
)

_BEGIN = (
    "CREATE TABLE moves (before TEXT, after TEXT)",
    "CREATE TRIGGER planned AFTER INSERT ON jobs BEGIN INSERT INTO moves VALUES (NULL, NEW.state); END",
    "CREATE TRIGGER moved AFTER UPDATE OF state ON jobs BEGIN INSERT INTO moves VALUES (OLD.state, NEW.state); END",
)
_END = ("DROP TRIGGER planned", "DROP TRIGGER moved", "DROP TABLE moves")


@contextmanager
def recorded_moves(database: Database) -> Iterator[Callable[[], set[Move]]]:
    """On SQLite, a way to ask which moves were made since."""

    def moves() -> set[Move]:
        with database.read() as connection:
            return {(before, after) for before, after in connection.execute(text("SELECT DISTINCT before, after FROM moves"))}

    def run(connection: Connection, statements: tuple[str, ...]) -> None:
        for statement in statements:
            connection.execute(text(statement))

    database.write(lambda connection: run(connection, _BEGIN))
    try:
        yield moves
    finally:
        database.write(lambda connection: run(connection, _END))
