"""Unit tests reach no network: a connection to anything but a unix socket fails."""

from __future__ import annotations

import socket
from typing import Any

import pytest

connect, connect_ex = socket.socket.connect, socket.socket.connect_ex


class NetworkUsed(AssertionError):
    """A unit test tried to reach the network."""

    def __init__(self, address: object) -> None:
        super().__init__(f"a unit test tried to connect to {address!r}: give it a fake, or move it to tests/integration")


def _only_unix(sock: socket.socket, address: object) -> None:
    if sock.family != socket.AF_UNIX:
        sock.close()  # nobody else would: the standard library expects no such error here
        raise NetworkUsed(address)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(sock: socket.socket, address: Any) -> None:
        _only_unix(sock, address)
        connect(sock, address)

    def refuse_ex(sock: socket.socket, address: Any) -> int:
        _only_unix(sock, address)
        return connect_ex(sock, address)

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse_ex)
