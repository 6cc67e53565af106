"""What a batch meets on one host: a backend that fails once, a crash right after a blob was written, a store that is slow."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Hit, Lane, Missed, Scene, fault
from tests.chaos.faults.victim import find_victim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.faults.victim import Victim

#: Seconds until a busy worker must have met what was laid in its way.
PATIENCE = 8.0


@fault("backend out of memory", Lane.HOST, weight=2)
@contextmanager
def out_of_memory(scene: Scene) -> Iterator[Hit]:
    """The next batch does not fit into the device's memory."""
    yield Hit(what=str(_meet(scene, "backend", "oom")))


@fault("backend raises MemoryError", Lane.HOST, weight=1)
@contextmanager
def memory_error(scene: Scene) -> Iterator[Hit]:
    """The next batch does not fit into the host's memory."""
    yield Hit(what=str(_meet(scene, "backend", "memory")))


@fault("backend raises OSError", Lane.HOST, weight=1)
@contextmanager
def os_error(scene: Scene) -> Iterator[Hit]:
    """The next batch meets an error of the operating system."""
    yield Hit(what=str(_meet(scene, "backend", "os-error")))


@fault("backend raises SystemExit", Lane.HOST, weight=0.7)
@contextmanager
def system_exit(scene: Scene) -> Iterator[Hit]:
    """The next batch asks the whole process to end."""
    yield Hit(what=str(_meet(scene, "backend", "exit")))


@fault("backend crashes (SIGSEGV)", Lane.HOST, weight=1)
@contextmanager
def segfault(scene: Scene) -> Iterator[Hit]:
    """The next batch takes the process down."""
    victim = _meet(scene, "backend", "segfault")
    yield Hit(what=str(victim), victims=victim.tokens)


@fault("backend hangs", Lane.HOST, weight=0.3)
@contextmanager
def hang(scene: Scene) -> Iterator[Hit]:
    """The next batch never ends; its budget ends the process."""
    victim = _meet(scene, "backend", "hang")
    yield Hit(what=str(victim), seconds=scene.clockwork.budget, victims=victim.tokens)


@fault("crash between blob and row", Lane.HOST, weight=2)
@contextmanager
def crash_after_put(scene: Scene) -> Iterator[Hit]:
    """The process dies right after it has put a blob into the store, before the row that names it is committed."""
    victim = _meet(scene, "crash-after-put", "")
    yield Hit(what=str(victim), victims=victim.tokens)


@fault("store slow", Lane.HOST, weight=1)
@contextmanager
def slow_store(scene: Scene) -> Iterator[Hit]:
    """Every file of the store takes a while to open on this host."""
    victim = find_victim(scene, busy=True)
    scene.world.controls.ask("slow-store", victim.host.name, f"{scene.rng.uniform(0.1, 0.5):.3f}")
    try:
        yield Hit(what=str(victim), seconds=scene.outage())
    finally:
        scene.world.controls.withdraw("slow-store", victim.host.name)


def _meet(scene: Scene, name: str, value: str) -> Victim:
    """Lay something in the way of the host's next batch and wait until it is met."""
    victim = find_victim(scene, busy=True)
    controls, host = scene.world.controls, victim.host.name
    controls.ask(name, host, value)
    deadline = time.monotonic() + PATIENCE
    while not controls.was_taken(name, host):
        if time.monotonic() > deadline and controls.withdraw(name, host):
            raise Missed
        time.sleep(0.02)
    return victim
