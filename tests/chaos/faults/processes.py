"""Signals to a host's processes: killed, asked to stop, or frozen past the lease."""

from __future__ import annotations

import contextlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from tests.chaos.faults.fault import Hit, Lane, Scene, fault
from tests.chaos.faults.victim import find_victim

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds beyond the grace period until a host must have stopped.
MARGIN = 15.0


@fault("kill child", Lane.HOST, weight=3)
@contextmanager
def kill_child(scene: Scene) -> Iterator[Hit]:
    """SIGKILL to the worker process."""
    victim = find_victim(scene)
    victim.process.kill()
    yield Hit(what=str(victim), victims=victim.tokens)


@fault("kill supervisor", Lane.HOST, weight=1)
@contextmanager
def kill_supervisor(scene: Scene) -> Iterator[Hit]:
    """SIGKILL to the supervisor alone; its child must end by itself."""
    victim = find_victim(scene)
    victim.host.kill(child=False)
    yield Hit(what=str(victim), seconds=scene.rng.uniform(0, 2))
    victim.host.start()


@fault("kill both", Lane.HOST, weight=2)
@contextmanager
def kill_both(scene: Scene) -> Iterator[Hit]:
    """SIGKILL to supervisor and worker process at once, as when the machine dies."""
    victim = find_victim(scene)
    victim.host.kill(child=True)
    yield Hit(what=str(victim), seconds=scene.rng.uniform(0, 2), victims=victim.tokens)
    victim.host.start()


@fault("terminate child", Lane.HOST, weight=2)
@contextmanager
def terminate_child(scene: Scene) -> Iterator[Hit]:
    """SIGTERM to the worker process alone, as from a guard of the host's memory."""
    victim = find_victim(scene)
    victim.process.terminate()
    yield Hit(what=str(victim))


@fault("terminate supervisor", Lane.HOST, weight=2)
@contextmanager
def terminate_supervisor(scene: Scene) -> Iterator[Hit]:
    """SIGTERM to the supervisor, as from a service manager; started again once it has ended."""
    victim = find_victim(scene)
    victim.host.ask_to_stop()
    hit = Hit(what=str(victim))
    yield hit
    grace = float(scene.clockwork.settings.get("PARAGONE_GRACE_SECONDS", "120"))
    if not victim.host.wait(grace + MARGIN):
        hit.complaints.append(f"{victim.host.name} had not ended {grace + MARGIN:.0f} s after SIGTERM")
    victim.host.start()


@fault("freeze past the lease", Lane.HOST, weight=0.7)
@contextmanager
def freeze(scene: Scene) -> Iterator[Hit]:
    """SIGSTOP to supervisor and worker process until others have taken over, then SIGCONT."""
    victim = find_victim(scene)
    supervisor = victim.host.supervisor()
    frozen = [process for process in (supervisor, victim.process) if process is not None]
    for process in frozen:
        process.suspend()
    try:
        yield Hit(what=str(victim), seconds=scene.world.lease * 1.3 + scene.rng.uniform(0, 2))
    finally:
        for process in frozen[::-1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()
