"""The engine for SQLite: a file in WAL mode with explicit transactions."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event

from db.errors import BadConfiguration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

#: Pages that a connection keeps. A worker holds up to five connections for days, and each fills its own; the system's cache holds the
#: file anyway.
CACHE_KIB = 8192
#: Seconds between two tries to turn WAL on.
BUSY_SECONDS = 0.02


def sqlite_engine(url: URL, *, timeout_seconds: float) -> Engine:
    """An engine on a file, whose folder is made; a writer waits for another one for `timeout_seconds`.

    Raises:
        BadConfiguration: the folder cannot be made.
    """
    options: dict[str, Any] = {}
    if url.database and url.database != ":memory:":
        _make_folder(Path(url.database).parent)
        options["pool_timeout"] = timeout_seconds
    engine = create_engine(url, connect_args={"timeout": timeout_seconds, "check_same_thread": False}, **options)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # pysqlite must not begin transactions behind our back
        cursor = connection.cursor()
        _use_wal(cursor, timeout_seconds)
        # A commit survives the death of the process; only a power cut may take the last ones, and their blobs are made again.
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that turns into a writer can fail with "database is locked" at once: writers say so first.
        read_only = connection.get_execution_options().get("read_only")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _use_wal(cursor: sqlite3.Cursor, timeout_seconds: float) -> None:
    """Turn WAL on, which SQLite refuses at once, whatever its timeout, while another process does the same on a new file."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(BUSY_SECONDS)
        else:
            return


@contextmanager
def alone_in_folder(url: URL) -> Iterator[None]:
    """Be the only process that migrates a SQLite file of this folder: a writer waits for another one for its timeout only."""
    if not url.database or url.database == ":memory:":
        yield
        return
    folder = os.open(Path(url.database).parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks, where nobody else is known of
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfiguration(
            f"the database's folder {folder} cannot be made ({error.strerror}): choose another PARAGONE_DATA_DIR or PARAGONE_DATABASE_URL"
        ) from None
