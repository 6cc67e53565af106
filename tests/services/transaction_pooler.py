"""A pooler in front of the test PostgreSQL, as PgBouncer in transaction mode: the next transaction may meet another session.

It speaks the protocol, so what a client may expect of a session is tried for real: it logs clients in by itself, forwards whole messages,
and when the server is ready for a query outside a transaction, the session goes back to the pool, to be taken by whoever comes next.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from collections import deque
from typing import TYPE_CHECKING

from sqlalchemy import URL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROTOCOL = 3 << 16
#: What a client is told instead of the server's process and key.
KEY_DATA = struct.pack("!ciii", b"K", 12, 1, 1)
READY_IDLE = struct.pack("!cic", b"Z", 5, b"I")
LOGGED_IN = struct.pack("!cii", b"R", 8, 0)


class _Stream:
    """Whole messages of one side."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._buffer = b""

    def startup(self) -> None:
        """Take a client's first message, which has no type."""
        (size,) = struct.unpack("!i", self._exactly(4))
        self._exactly(size - 4)

    def message(self) -> bytes:
        """The next message, whole."""
        head = self._exactly(5)
        return head + self._exactly(struct.unpack("!i", head[1:])[0] - 4)

    def has_message(self) -> bool:
        """Whether a whole message has been read already."""
        return len(self._buffer) >= 5 and len(self._buffer) > struct.unpack("!i", self._buffer[1:5])[0]

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionResetError
            self._buffer += data
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found


class TransactionPooler:
    """Clients share a few sessions, each for one transaction; the session that was idle longest is taken."""

    def __init__(self, target: Path, database: str, *, sessions: int = 3) -> None:
        self._database = database
        self._target = target
        self._parameters = b""
        self._idle: deque[_Stream] = deque(self._log_in() for _ in range(sessions))
        self._sessions = list(self._idle)
        self._returned = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    @property
    def url(self) -> URL:
        """The database's URL behind the pooler."""
        port = self._listener.getsockname()[1]
        query = {"sslmode": "disable", "gssencmode": "disable"}
        return URL.create("postgresql+psycopg", username="paragone", host="127.0.0.1", port=port, database=self._database, query=query)

    def close(self) -> None:
        """End all sessions; clients have closed theirs."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
        for session in self._sessions:
            session.socket.close()

    def _log_in(self) -> _Stream:
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._target))
        facts = b"".join(word + b"\0" for word in (b"user", b"paragone", b"database", self._database.encode(), b"client_encoding", b"UTF8"))
        server.sendall(struct.pack("!ii", len(facts) + 9, PROTOCOL) + facts + b"\0")
        stream = _Stream(server)
        parameters = b""
        while (message := stream.message())[:1] != b"Z":
            parameters += message if message[:1] == b"S" else b""
        self._parameters = parameters
        return stream

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, _Stream(client))

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, client: _Stream) -> None:
        with client.socket, contextlib.suppress(OSError):
            client.startup()
            client.socket.sendall(LOGGED_IN + self._parameters + KEY_DATA + READY_IDLE)
            while (first := client.message())[:1] != b"X":
                with self._returned:
                    self._returned.wait_for(lambda: self._idle)
                    session = self._idle.popleft()
                self._transaction(client, session, first)
                with self._returned:
                    self._idle.append(session)
                    self._returned.notify()

    @staticmethod
    def _transaction(client: _Stream, session: _Stream, message: bytes) -> None:
        """Forward in both directions until the server is ready outside a transaction and has answered everything."""
        unanswered, extended = 0, False
        with selectors.DefaultSelector() as ready:
            ready.register(client.socket, selectors.EVENT_READ, client)
            ready.register(session.socket, selectors.EVENT_READ, session)
            while True:
                if message:
                    kind, message, sent = message[:1], b"", message
                    if kind in {b"Q", b"S"}:
                        unanswered, extended = unanswered + 1, kind == b"S"
                    elif kind == b"c" and extended:
                        unanswered = 0  # the server overlooks a Sync that comes before the end of COPY
                    session.socket.sendall(sent)
                came = [side for side in (client, session) if side.has_message()] or [key.data for key, _ in ready.select()]
                if session in came:
                    answer = session.message()
                    client.socket.sendall(answer)
                    unanswered -= answer[:1] == b"Z"
                    if answer == READY_IDLE and not unanswered:
                        return
                elif client in came:
                    message = client.message()
