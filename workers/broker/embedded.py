"""The broker of a directory: its first user starts a real server, its last one stops it.

Two locked files make that safe. Every user holds `users.lock` shared for as long as it uses the broker; the kernel lets go of it when a
user dies. Whoever starts or stops the server holds `turn.lock` alone meanwhile, so nobody joins a server that is being stopped. A guard
(see `workers.broker.guard`) waits to hold `users.lock` alone, and then ends a server whose users were all killed.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING, Self

from workers.broker.errors import BrokerUnavailable
from workers.broker.server import STOP_SECONDS, Server
from workers.broker.socket_path import socket_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class EmbeddedBroker:
    """A Redis or Valkey server that belongs to `directory`. One object is one user."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self._joined: int | None = None
        self._pid = os.getpid()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The URL for Celery; something answers there while a user is joined."""
        return f"redis+socket://{self._server.socket}?virtual_host=0"

    def is_running(self) -> bool:
        """Whether a server answers, whoever started it."""
        return self.directory.is_dir() and self._server.answers()

    def refuse_untrusted(self) -> None:
        """Its socket lies in a directory of ours."""

    def join(self) -> None:
        """Become a user: start the server unless it runs. Raises `BrokerUnavailable`. Joining twice is joining once."""
        with self._lock, self._turn():
            if self._joined is not None:
                if self._pid == os.getpid():
                    return
                os.close(self._joined)  # inherited by a fork: the parent's, not ours
            users = os.open(self.directory / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(users, fcntl.LOCK_SH)
                if not self._server.answers():
                    self._server.start()
            except BaseException:
                os.close(users)
                raise
            self._joined, self._pid = users, os.getpid()
            atexit.register(self.leave)

    def leave(self) -> None:
        """Be a user no more; the last one stops the server. Does nothing in a forked child, and nothing the second time."""
        if self._pid != os.getpid():
            return
        with self._lock:
            if self._joined is None:
                return
            with self._turn():
                users, self._joined = self._joined, None
                atexit.unregister(self.leave)
                os.close(users)
                self._stop_unless_used()

    def _stop_unless_used(self) -> None:
        """In our turn, when we are no user any more: nobody joins meanwhile, but the guard may stop the server before we do."""
        users = os.open(self.directory / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if _lock(users, fcntl.LOCK_EX):
                self._server.stop()
            elif not _lock(users, fcntl.LOCK_SH):  # no user holds it alone: it is the guard, at work
                deadline = time.monotonic() + STOP_SECONDS
                while not self._server.is_gone() and time.monotonic() < deadline:
                    time.sleep(0.01)
        finally:
            os.close(users)

    def __enter__(self) -> Self:
        self.join()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    @cached_property
    def _server(self) -> Server:
        self._make_directory()
        return Server(directory=self.directory, socket=socket_path(self.directory), users_lock=self.directory / "users.lock")

    def _make_directory(self) -> None:
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BrokerUnavailable(f"{self.directory} cannot be made: {error.strerror}") from None

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Be the only one who starts or stops the server."""
        self._make_directory()
        turn = os.open(self.directory / "turn.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield
        finally:
            os.close(turn)


def _lock(file: int, kind: int) -> bool:
    """Lock it if nobody stands in the way."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
