"""A TCP proxy between one host and the database, which can cut its connections (RST) or let them lead nowhere (no FIN, no answer)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: Closing such a socket sends RST.
ABORTIVE = struct.pack("ii", 1, 0)
READ = 1 << 16


class _Link:
    """One client's connection and the one to the server that goes with it."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        #: Not set: whatever arrives is taken and dropped.
        self.leads_on = True


class Proxies:
    """One thread that runs the proxies of all hosts."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()
        self._links: dict[int, set[_Link]] = {}
        self._servers: list[asyncio.Server] = []

    def open(self, target: Path) -> int:
        """Listen on a port of its own and lead on to the unix socket `target`; returns the port."""
        return asyncio.run_coroutine_threadsafe(self._open(target), self._loop).result(10)

    def connections(self, port: int) -> int:
        """Connections that lead on now."""
        return sum(link.leads_on for link in self._links[port])

    def cut(self, port: int) -> int:
        """Reset every connection; returns how many there were."""
        return asyncio.run_coroutine_threadsafe(self._cut(port), self._loop).result(10)

    def swallow(self, port: int) -> int:
        """From now on the connections that there are lead nowhere and tell nobody; new ones work. Returns how many there were."""
        return asyncio.run_coroutine_threadsafe(self._swallow(port), self._loop).result(10)

    def close(self) -> None:
        """Stop listening and drop every connection."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self, target: Path) -> int:
        links: set[_Link] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(reader, writer, target, links)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        self._links[port] = links
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Path, links: set[_Link]) -> None:
        try:
            answers, server = await asyncio.open_unix_connection(target)
        except OSError:
            _reset(writer)
            return
        link = _Link(writer, server)
        links.add(link)
        try:
            await asyncio.gather(_pump(link, reader, server), _pump(link, answers, writer))
        finally:
            links.discard(link)
            server.close()
            writer.close()

    async def _cut(self, port: int) -> int:
        there = [link for link in self._links[port] if link.leads_on]
        for link in there:
            _reset(link.client)
            link.server.close()
        return len(there)

    async def _swallow(self, port: int) -> int:
        there = [link for link in self._links[port] if link.leads_on]
        for link in there:
            link.leads_on = False
            link.server.close()  # the server is to roll back, as it does when it is the host that has gone
        return len(there)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for links in self._links.values():
            for link in list(links):
                _reset(link.client)
                link.server.close()


async def _pump(link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry what comes; at its end close the other side, unless the link is to tell nobody."""
    with contextlib.suppress(OSError):
        while data := await reader.read(READ):
            if link.leads_on:
                writer.write(data)
                await writer.drain()
    if link.leads_on:
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    plain = writer.get_extra_info("socket")
    if plain is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORTIVE)
    writer.transport.abort()
