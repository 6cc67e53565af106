"""Serving a registry to Prometheus from a thread of this process."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workers.errors import MetricsPortTaken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry


@contextmanager
def served(registry: CollectorRegistry, *, address: str, port: int, named_by: str) -> Iterator[int]:
    """Answer every GET with the registry's metrics while the block runs; gives the port, chosen by the system if 0 was asked for.

    Raises:
        MetricsPortTaken: nobody can listen there; `named_by` says what to change.
    """
    from prometheus_client import start_http_server

    try:
        server, thread = start_http_server(port, address, registry)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise MetricsPortTaken(f"port {port} of {address} is taken: choose another with {named_by}") from None
        raise MetricsPortTaken(f"metrics cannot be served at {address}:{port} ({error.strerror}): change {named_by}") from None
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
