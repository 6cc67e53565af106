"""What happens to a SQLite file: somebody else holds its one writer's lock for too long."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Hit, Lane, Missed, Scene, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

KIND = "sqlite"


@fault("writer's lock held", Lane.DATABASE, weight=3, database=KIND)
@contextmanager
def locked(scene: Scene) -> Iterator[Hit]:
    """For some seconds."""
    with _locked(scene, 2 * scene.outage()) as hit:
        yield hit


@fault("writer's lock held past the lease", Lane.DATABASE, weight=1, database=KIND)
@contextmanager
def locked_past_the_lease(scene: Scene) -> Iterator[Hit]:
    """Nobody can renew a lease meanwhile."""
    with _locked(scene, scene.world.lease * 1.3) as hit:
        yield hit


@contextmanager
def _locked(scene: Scene, seconds: float) -> Iterator[Hit]:
    under_way = scene.need_work()
    path = scene.world.directory / "paragone.sqlite"
    with closing(sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            raise Missed from None
        yield Hit(what=f"{under_way} jobs under way", seconds=seconds)
        connection.execute("ROLLBACK")
