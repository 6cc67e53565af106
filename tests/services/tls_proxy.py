"""TLS in front of a server that has none: the Valkey and the PostgreSQL of the wheels are built without it.

What clients see is the real thing: a handshake, a certificate, and for PostgreSQL the request for TLS that its protocol begins with. One
event loop in a thread serves all connections of a proxy; it can also lose the network between its clients and the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterator

    #: What a connection to the server behind gives.
    Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

#: A PostgreSQL client's requests for encryption, each preceded by its length of eight bytes.
SSL_REQUEST, GSS_REQUEST = (struct.pack("!ii", 8, code) for code in (80877103, 80877104))


class TlsProxy:
    """Ends TLS for clients and forwards what they say to a server that knows none."""

    def __init__(self, connect: Callable[[], Awaitable[Streams]], context: ssl.SSLContext | None, *, postgresql: bool = False) -> None:
        """Nothing listens yet.

        Args:
            connect: opens a connection to the server behind, such as `lambda: asyncio.open_unix_connection(path)`.
            context: the certificate to show; None forwards what the server itself encrypts.
            postgresql: whether clients ask for TLS in PostgreSQL's way before they begin it.
        """
        self._connect = connect
        self._context = context
        self._postgresql = postgresql
        self._loop = asyncio.new_event_loop()
        self._connected = asyncio.Event()
        self._connected.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tls-proxy", daemon=True)
        self.port = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[TlsProxy]:
        """Listen on a port of its own while the block runs."""
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._end(server), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()

    @contextlib.contextmanager
    def partitioned(self) -> Iterator[None]:
        """While the block runs nothing gets through, in either direction, and nobody is told."""
        self._loop.call_soon_threadsafe(self._connected.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._connected.set)

    async def _listen(self) -> asyncio.Server:
        context = None if self._postgresql else self._context
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)

    async def _end(self, server: asyncio.Server) -> None:
        server.close()
        await asyncio.sleep(0)  # who has just connected is heard of
        if self._tasks:  # clients have closed their connections, which ends them
            await asyncio.wait(set(self._tasks), timeout=1)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if not self._postgresql or await self._begins_tls(reader, writer):
                await self._forward(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # a client that refuses the certificate, or the end
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _begins_tls(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        while (asked := await reader.readexactly(8)) == GSS_REQUEST:
            writer.write(b"N")
        if asked != SSL_REQUEST:
            fields = b"SFATAL\0VFATAL\0C28000\0Mno pg_hba.conf entry for host, no encryption\0\0"
            writer.write(b"E" + struct.pack("!i", len(fields) + 4) + fields)
            await writer.drain()
            return False
        writer.write(b"S")
        await writer.drain()
        assert self._context is not None
        await writer.start_tls(self._context)
        return True

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await self._connect()
        pumps = [asyncio.ensure_future(self._pump(reader, back_writer)), asyncio.ensure_future(self._pump(back_reader, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            back_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._connected.wait()
            writer.write(data)
            await writer.drain()
