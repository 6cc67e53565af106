"""The name under which the workers of this host are registered."""

from __future__ import annotations

import socket


def host_name() -> str:
    """As `workers.identity` writes it into the workers table."""
    return socket.gethostname()
