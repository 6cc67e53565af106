"""A TCP proxy in front of the test PostgreSQL, which can lose, cut or swallow connections, or pose as a pooler."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.services.postgresql import PostgresServer

#: BackendKeyData, with its length.
KEY_DATA = struct.pack("!ci", b"K", 12)


@dataclass(kw_only=True)
class _Link:
    """One client's connection and its own to the server."""

    client: socket.socket
    server: socket.socket
    #: Nothing is forwarded any more, in either direction, and what arrives is still acknowledged.
    lost: bool = False

    def end(self) -> None:
        """Wake both pumps, which see the end."""
        for one in (self.client, self.server):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@dataclass(kw_only=True)
class DatabaseProxy:
    """Forwards TCP to a unix socket until it is told to behave worse."""

    target: Path
    #: Whether the process that the server names at login is replaced by another one, as poolers do.
    renames_process: bool = False
    #: Whether new connections lead nowhere.
    swallows: bool = False
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _links: list[_Link] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def connections(self) -> int:
        """How many connections there have been."""
        return len(self._links)

    def start(self) -> None:
        """Take connections from now on."""
        self._start(self._accept)

    def url(self, database: str) -> URL:
        """The URL of a database behind the proxy."""
        port = self._listener.getsockname()[1]
        query = {"sslmode": "disable", "gssencmode": "disable"}
        return URL.create("postgresql+psycopg", username="paragone", host="127.0.0.1", port=port, database=database, query=query)

    def black_hole(self) -> None:
        """Lose what goes through the present connections, without a word to either side."""
        for link in self._links:
            link.lost = True

    def cut(self) -> None:
        """End the present connections by RST."""
        for link in self._links:
            link.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            link.lost = True
            # A pump that waits in recv() holds the socket open: it is woken first.
            link.server.shutdown(socket.SHUT_RDWR)
            link.client.shutdown(socket.SHUT_RD)
            link.client.close()

    def close(self) -> None:
        """End all."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self._links:
            link.end()
        for thread in self._threads:
            thread.join(10)
        for link in self._links:
            link.client.close()
            link.server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self.target))
            link = _Link(client=client, server=server, lost=self.swallows)
            self._links.append(link)
            self._start(self._pump, link, client, server)
            self._start(self._pump, link, server, client)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _pump(self, link: _Link, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                # A server's answer to a login fits one packet on a unix socket.
                if source is link.server and self.renames_process and (at := data.find(KEY_DATA)) >= 0:
                    data = data[: at + 5] + struct.pack("!i", 1) + data[at + 9 :]
                if not link.lost:
                    target.sendall(data)
        if not link.lost:
            link.end()


@pytest.fixture
def database_proxy(postgres_server: PostgresServer) -> Iterator[DatabaseProxy]:
    """A proxy in front of the test server."""
    proxy = DatabaseProxy(target=postgres_server.directory / ".s.PGSQL.5432")
    proxy.start()
    yield proxy
    proxy.close()
