"""Clocks that step: a host's, which must not matter, and the database's, by which leases are judged."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Hit, Lane, Missed, Scene, fault
from tests.chaos.faults.victim import find_victim

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds that a clock steps at most.
FURTHEST = 7200.0


@fault("clock of a host steps", Lane.HOST, weight=1)
@contextmanager
def host_clock(scene: Scene) -> Iterator[Hit]:
    """The host's clock goes forth or back by up to two hours, and later returns."""
    victim = find_victim(scene)
    seconds = scene.rng.uniform(-FURTHEST, FURTHEST)
    scene.world.controls.ask("clock", victim.host.name, f"{seconds:.3f}")
    try:
        yield Hit(what=f"{victim}, {seconds:+.0f} s", seconds=scene.outage())
    finally:
        scene.world.controls.withdraw("clock", victim.host.name)


@fault("clock of the database steps", Lane.DATABASE, weight=2)
@contextmanager
def database_clock(scene: Scene) -> Iterator[Hit]:
    """The clock by which leases are judged goes forth or back for good, by less than a lease or by minutes."""
    if not scene.watch.sight.leases:
        raise Missed
    furthest = scene.rng.choice((scene.world.lease * 0.8, 600.0))
    step = scene.rng.uniform(-furthest, furthest)
    scene.world.step_database_clock(step)
    yield Hit(what=f"{len(scene.watch.sight.leases)} workers' leases, {step:+.1f} s")
