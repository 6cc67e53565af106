"""The run's own PostgreSQL: reached by the workers through proxies, by the conductor past them; it can be killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import URL

from tests.chaos.server import ServerProcess
from tests.services.guard import short_directory
from tests.services.postgresql import INITIAL, _binaries

if TYPE_CHECKING:
    from pathlib import Path

# A power cut is not among the faults; a commit must survive the server's death, which needs no fsync.
OPTIONS = ("fsync=off", "listen_addresses=", "max_connections=200", "log_min_messages=fatal", "autovacuum_naptime=5s")

#: The clock of every session can be stepped: these functions are found before those of `pg_catalog`, which comes last. The server's start
#: is what that clock showed then.
CLOCK = """
CREATE SCHEMA stepped;
CREATE TABLE stepped.clock (seconds double precision NOT NULL, at_start double precision NOT NULL);
INSERT INTO stepped.clock VALUES (0, 0);
CREATE FUNCTION stepped.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
 'SELECT pg_catalog.clock_timestamp() + make_interval(secs => (SELECT seconds FROM stepped.clock))';
CREATE FUNCTION stepped.pg_postmaster_start_time() RETURNS timestamptz LANGUAGE sql STABLE AS
 'SELECT pg_catalog.pg_postmaster_start_time() + make_interval(secs => (SELECT at_start FROM stepped.clock))';
ALTER DATABASE chaos SET search_path = public, stepped, pg_catalog;
"""


class ChaosPostgres:
    """A PostgreSQL server with one database, `chaos`."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        # It refuses to run as root.
        user = "nobody" if os.geteuid() == 0 else None
        self.directory = self._stack.enter_context(short_directory("paragone-chaos-pg-", user=user))
        binaries = _binaries(self._stack, user)
        groups: list[str] | None = [] if user else None
        command = [str(binaries / "initdb"), "-D", str(self.directory / "data"), *INITIAL]
        subprocess.run(command, check=True, capture_output=True, cwd=self.directory, user=user, extra_groups=groups)
        options = [word for option in OPTIONS for word in ("-c", option)]
        self.server = ServerProcess(
            command=[str(binaries / "postgres"), "-D", str(self.directory / "data"), "-k", str(self.directory), *options],
            directory=self.directory,
            answers=self.answers,
            user=user,
        )

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.directory / ".s.PGSQL.5432"

    @property
    def url(self) -> str:
        """Past the proxies."""
        query = {"host": str(self.directory)}
        return URL.create("postgresql+psycopg", username="paragone", database="chaos", query=query).render_as_string()

    def through(self, port: int) -> str:
        """By a proxy on that port."""
        url = URL.create("postgresql", username="paragone", host="127.0.0.1", port=port, database="chaos")
        return url.render_as_string()

    def create(self) -> None:
        """Start it and make the database, with a clock that can be stepped."""
        self.server.start()
        self.execute("CREATE DATABASE chaos", database="postgres")
        self.execute(CLOCK)

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            self.execute("SELECT 1", database="postgres")
        except psycopg.OperationalError:
            return False
        return True

    def execute(self, statement: str, *, database: str = "chaos") -> None:
        """Run a statement as the superuser."""
        with self.connect(database=database) as connection:
            connection.execute(statement.encode())

    def connect(self, *, database: str = "chaos") -> psycopg.Connection:
        """A connection of the conductor's own."""
        return psycopg.connect(host=str(self.directory), user="paragone", dbname=database, autocommit=True, connect_timeout=3)

    def crash(self) -> None:
        """SIGKILL to all of it; `start_again` recovers."""
        self.server.kill()

    def stop(self, number: int) -> None:
        """Stop it by a signal to the postmaster: SIGQUIT at once, SIGINT in good order."""
        self.server.stop(number)

    def start_again(self) -> None:
        """Start it after a crash."""
        (self.directory / "data/postmaster.pid").unlink(missing_ok=True)
        self.server.start()
        self.execute("UPDATE stepped.clock SET at_start = seconds")

    def close(self) -> None:
        """End it and remove its files."""
        self.server.close()
        self._stack.close()


#: How a restart ends the server first.
IMMEDIATE, FAST_STOP = signal.SIGQUIT, signal.SIGINT
