"""Draining hosts, and taking that back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.jobs.drain import set_drained
from db.monitoring.worker_registry import live_workers

if TYPE_CHECKING:
    from db.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class DrainResult:
    """A host that was drained, or is so no more."""

    host: str
    drained: bool
    #: Its living workers; those of a drained host finish what they hold and end.
    workers: int


def drain_host(runtime: Runtime, host: str, *, undo: bool = False) -> DrainResult:
    """Have a host's workers finish what they hold, claim nothing more and end; or take that back. Raises `UnknownHost`."""
    set_drained(runtime.database, host, drained=not undo)
    living = live_workers(runtime.database, within_seconds=runtime.settings.alive_within_seconds)
    return DrainResult(host=host, drained=not undo, workers=sum(worker.host == host for worker in living))
