"""Finding a host's worker process, and what it holds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Missed, Scene

if TYPE_CHECKING:
    import psutil

    from tests.chaos.host import Host

#: Seconds for which a fault waits for something to hit.
WAIT_SECONDS = 20.0
#: Of these, for a worker that also holds a batch.
BUSY_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Victim:
    """A living, registered worker process."""

    host: Host
    process: psutil.Process
    worker_id: str
    tokens: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.worker_id} with {len(self.tokens)} batches"


def find_victim(scene: Scene, *, busy: bool = False) -> Victim:
    """The worker of the scene's host, with work under way if some comes soon; raises `Missed`."""
    assert scene.host is not None
    started = time.monotonic()
    while (waited := time.monotonic() - started) < WAIT_SECONDS:
        process, sight = scene.host.child(), scene.watch.sight
        worker_id = sight.workers.get(process.pid) if process is not None else None
        if process is not None and worker_id is not None:
            tokens = sight.leases.get(worker_id, ())
            if tokens or (waited > BUSY_SECONDS and not busy):
                return Victim(host=scene.host, process=process, worker_id=worker_id, tokens=tokens)
        time.sleep(0.05)
    raise Missed
