"""Who a worker process is: a name of its own, its host, its device and what it runs with."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

#: Packages whose versions may change a pixel or a word.
RECORDED = ("paragone", "torch", "diffusers", "transformers", "pillow", "celery")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One worker process."""

    #: Also Celery's node name: `gpu0-3fa2b1c93fa2b1c9@host`. The digits keep restarts and containers of one host name apart.
    worker_id: str
    host: str
    pid: int
    device: str
    versions: dict[str, str]

    def facts(self) -> dict[str, Any]:
        """As `db.monitoring.worker_registry.register_worker` takes them."""
        return vars(self)


def new_worker_id(name: str, host: str) -> str:
    """A name for the next life of the worker `name` (such as "gpu0") on a host."""
    # 64 bits: ten million starts under one host name meet once in 370,000 tries. 16 bits would let 100 containers meet once in fourteen.
    return f"{name}-{secrets.token_hex(8)}@{host}"


def own_identity(name: str, device: str, *, host: str, worker_id: str | None = None) -> Identity:
    """The identity of this process, which works as `name` on `device` of a host, under the id that its supervisor chose or a new one."""
    return Identity(
        worker_id=worker_id or new_worker_id(name, host),
        host=host,
        pid=os.getpid(),
        device=device,
        versions=library_versions(),
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
