from __future__ import annotations

import ast
import re
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

import db
from db.engine import connect
from db.engine.schema import current_revision, migrate, newest_revision
from tests.builders import harness_of
from tests.integration.db.engine import writing_cases_of_results  # noqa: F401  # adds its cases
from tests.integration.db.engine.writing_cases import CASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from db.engine import Database

#: How a single statement begins that changes rows.
CHANGE = re.compile(r"\b(INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b")


@dataclass(kw_only=True)
class Abortion:
    """Whether a transaction was aborted already."""

    happened: bool = False


@contextmanager
def aborted_once(database: Database, moment: str) -> Iterator[Abortion]:
    """The next writing transaction fails once as if it had crossed another: at its first statement, or when it is committed."""
    abortion, writing = Abortion(), False

    def refuse() -> None:
        abortion.happened = True
        if database.is_postgresql:
            raise OperationalError("UPDATE", None, psycopg.errors.DeadlockDetected())
        busy = sqlite3.OperationalError("database is locked")
        busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise OperationalError("UPDATE", None, busy)

    def at_statement(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal writing
        options = connection.get_execution_options()
        alone = options.get("isolation_level") == "AUTOCOMMIT"  # it commits itself, and cannot be aborted afterwards
        writing = writing or (CHANGE.search(statement) is not None if alone else not options.get("read_only"))
        if writing and (alone or moment == "first statement") and not abortion.happened:
            refuse()

    def at_commit(_connection: Any) -> None:
        if writing and moment == "commit" and not abortion.happened:
            refuse()

    event.listen(database.engine, "before_cursor_execute", at_statement)
    event.listen(database.engine, "commit", at_commit)
    try:
        yield abortion
    finally:
        event.remove(database.engine, "before_cursor_execute", at_statement)
        event.remove(database.engine, "commit", at_commit)


@pytest.mark.parametrize("moment", ["first statement", "commit"])
@pytest.mark.parametrize("name", CASES)
def test_a_write_that_the_database_aborts_once_succeeds_and_takes_effect_once(database: Database, name: str, moment: str) -> None:
    prepared = CASES[name](harness_of(database, 4))

    with aborted_once(database, moment) as abortion:
        returned = prepared.call()

    assert abortion.happened, "nothing was written"
    assert returned == prepared.returns
    assert prepared.leaves() == prepared.expected
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("moment", ["first statement", "commit"])
def test_a_migration_that_the_database_aborts_once_succeeds(database_url: str, moment: str) -> None:
    database = connect(database_url)

    with aborted_once(database, moment) as abortion:
        migrate(database)

    assert abortion.happened
    assert current_revision(database) == newest_revision()
    assert harness_of(database, 2).run_all() == 14
    database.dispose()


#: What is written to, but is no database.
FILES = {"os", "sys.stderr"}


def writing_functions() -> set[str]:
    """Every public function of `db` that calls `.write(...)`, itself or through a private one of its module."""
    found: set[str] = set()
    for path in Path(db.__path__[0]).rglob("*.py"):
        functions = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
        writing = {function.name for function in functions if _calls(function, {"write"}, attribute=True)}
        while more := {function.name for function in functions if _calls(function, writing)} - writing:
            writing |= more
        found |= {name for name in writing if not name.startswith("_")}
    return found


def _calls(function: ast.FunctionDef, names: set[str], *, attribute: bool = False) -> bool:
    called = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    if attribute:
        return any(isinstance(one, ast.Attribute) and one.attr in names and ast.unparse(one.value) not in FILES for one in called)
    return any(isinstance(one, ast.Name) and one.id in names for one in called)


def test_every_writing_function_has_its_case() -> None:
    assert writing_functions() == {*CASES, "migrate"}


def test_nothing_writes_past_the_retry() -> None:
    package = Path(db.__path__[0])
    modules = [path for path in package.rglob("*.py") if path.parent != package / "engine"]
    assert [path.name for path in modules if ".begin()" in path.read_text() or ".engine.connect(" in path.read_text()] == []
