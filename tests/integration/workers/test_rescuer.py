from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import OperationalError

from db.enums import Stage
from tests.builders import CampaignHarness, harness_of
from workers import rescuer as rescuing
from workers.rescuer import Rescuer

if TYPE_CHECKING:
    from collections.abc import Collection

    from db.engine import Database

#: So short that a database which just started is old enough to be swept.
LEASE = 0.01


class Scene:
    """A rescuer with a clock that the test moves, and what it wakes."""

    def __init__(self, database: Database) -> None:
        self.moment = 1000.0
        self.woken: list[set[Stage]] = []
        self.rescuer = Rescuer(database, lease_seconds=LEASE, wake=self._wake, clock=lambda: self.moment)

    def _wake(self, stages: Collection[Stage]) -> None:
        self.woken.append(set(stages))


@pytest.fixture
def silent(database: Database) -> CampaignHarness:
    """A campaign whose captions a silent worker holds under an expired lease."""
    harness = harness_of(database, 2)
    harness.expire_leases(harness.claim(Stage.CAPTION, worker="silent"))
    return harness


def test_jobs_of_silent_workers_are_taken_back_and_workers_woken(database: Database, silent: CampaignHarness) -> None:
    scene = Scene(database)

    scene.rescuer.sweep()

    assert silent.states(Stage.CAPTION) == {"ready": 2}
    assert scene.woken == [{Stage.CAPTION}]


def test_a_rescuer_that_is_held_back_waits_for_one_lease(database: Database, silent: CampaignHarness) -> None:
    scene = Scene(database)
    scene.rescuer.hold_back()

    scene.moment += LEASE / 2
    scene.rescuer.sweep()
    assert silent.states(Stage.CAPTION) == {"running": 2}
    assert scene.woken == []

    scene.moment += LEASE
    scene.rescuer.sweep()
    assert silent.states(Stage.CAPTION) == {"ready": 2}


def test_a_sweep_that_fails_holds_itself_back(database: Database, silent: CampaignHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(database)

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("UPDATE", {}, Exception("the database is starting up"))

    with monkeypatch.context() as patched:
        patched.setattr(rescuing, "sweep", away)
        with pytest.raises(OperationalError):
            scene.rescuer.sweep()

    scene.rescuer.sweep()
    assert silent.states(Stage.CAPTION) == {"running": 2}
    scene.moment += LEASE
    scene.rescuer.sweep()
    assert silent.states(Stage.CAPTION) == {"ready": 2}


def test_workers_are_woken_for_everything_that_is_ready_whoever_made_it_so(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.finish(harness.claim(Stage.CAPTION, limit=1))
    scene = Scene(database)

    scene.rescuer.sweep()

    assert scene.woken == [{Stage.CAPTION, Stage.PROMPT}]
