"""Who a worker process is: a name of its own, its host, its device and what it runs with."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

#: Packages whose versions may change a pixel or a word.
RECORDED = ("paragone", "torch", "diffusers", "transformers", "pillow", "celery")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One worker process."""

    #: Also Celery's node name: `gpu0-3fa2@host`. The four digits keep restarts and containers of one host name apart.
    worker_id: str
    host: str
    pid: int
    device: str
    versions: dict[str, str]

    def facts(self) -> dict[str, Any]:
        """As `db.monitoring.worker_registry.register_worker` takes them."""
        return vars(self)


def own_identity(name: str, device: str) -> Identity:
    """The identity of this process, which works as `name` (such as "gpu0") on `device`."""
    host = socket.gethostname()
    return Identity(
        worker_id=f"{name}-{secrets.token_hex(2)}@{host}", host=host, pid=os.getpid(), device=device, versions=library_versions()
    )


def library_versions() -> dict[str, str]:
    """Versions of the packages that matter, of those that are installed."""
    found = {}
    for package in RECORDED:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
