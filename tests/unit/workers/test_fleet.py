from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from db.enums import Stage
from db.monitoring.worker_registry import register_worker
from workers.fleet import FEW, OLDEST, Fleet

if TYPE_CHECKING:
    from db.engine import Database


class Scene:
    """A fleet with a clock and a die that the test sets, and how often the database was asked."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.moment, self.drawn, self.asked = 100.0, 0.5, 0
        self.fleet = Fleet(database, alive_within_seconds=60.0, clock=lambda: self.moment, chance=lambda: self.drawn)
        event.listen(database.engine, "before_cursor_execute", self._count)

    def _count(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self.asked += "FROM workers" in statement

    def add(self, count: int, *, stages: tuple[Stage, ...] = tuple(Stage)) -> None:
        """So many workers more."""
        for number in range(count):
            name = f"gpu{number}@{'-'.join(stages)}"
            register_worker(self.database, worker_id=name, host="h", pid=1, device="cpu", stages=stages, threads=3, versions={})
        self.asked = 0


@pytest.fixture
def scene(sqlite_database: Database) -> Scene:
    return Scene(sqlite_database)


def test_a_small_fleet_is_asked_about_each_time_and_takes_every_turn(scene: Scene) -> None:
    scene.add(FEW)
    scene.drawn = 0.999
    assert scene.fleet.is_my_turn()
    assert scene.fleet.threads(Stage.CAPTION) == 3 * FEW
    assert scene.asked == 2

    scene.add(1, stages=(Stage.RECAPTION,))
    assert scene.fleet.threads(Stage.RECAPTION) == 3 * FEW + 3
    assert scene.fleet.threads(Stage.CAPTION) == 3 * FEW, "recaption is another stage"


def test_each_of_a_large_fleet_takes_its_share_of_the_turns(scene: Scene) -> None:
    scene.add(4 * FEW)
    for drawn, mine in ((0.0, True), (0.249, True), (0.251, False), (0.999, False)):
        scene.drawn = drawn
        assert scene.fleet.is_my_turn() is mine


def test_what_is_known_of_a_large_fleet_is_kept_for_a_while(scene: Scene) -> None:
    scene.add(5 * FEW)
    for stage in Stage:
        assert scene.fleet.threads(stage) == 15 * FEW
    scene.fleet.is_my_turn()
    assert scene.asked == 1
    scene.moment += 0.02 * 5 * FEW + 0.01
    scene.fleet.is_my_turn()
    assert scene.asked == 2
    scene.moment += OLDEST
    scene.fleet.threads(Stage.CAPTION)
    assert scene.asked == 3


def test_who_is_alone_takes_every_turn_even_if_unregistered(scene: Scene) -> None:
    scene.drawn = 0.999
    assert scene.fleet.is_my_turn()
    assert scene.fleet.threads(Stage.CAPTION) == 0
