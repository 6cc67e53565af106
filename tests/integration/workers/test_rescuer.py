from __future__ import annotations

import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text, update

from db.engine.clock import now
from db.enums import Stage
from db.errors import DatabaseUnavailable
from db.monitoring.worker_registry import register_worker
from db.tables import leases, workers
from tests.builders import CampaignHarness, harness_of
from workers import rescuer as rescuing
from workers.identity import own_identity
from workers.lease_keeper import LeaseKeeper
from workers.rescuer import Rescuer

if TYPE_CHECKING:
    from collections.abc import Collection

    from db.engine import Database

LEASE = 1.0


@pytest.fixture(autouse=True)
def _server_is_old_enough(request: pytest.FixtureRequest) -> None:
    """One that started less than a lease ago is not swept."""
    database: Database | None = request.getfixturevalue("database") if "database" in request.fixturenames else None
    if database is not None and database.is_postgresql:
        with database.read() as connection:
            uptime = float(connection.scalar(text("SELECT EXTRACT(EPOCH FROM clock_timestamp() - pg_postmaster_start_time())")) or 0)
        time.sleep(max(0.0, LEASE + 0.1 - uptime))


class Scene:
    """A rescuer with a clock that the test moves on, and what it wakes."""

    def __init__(self, database: Database) -> None:
        #: Seconds by which its clock is ahead of the real one.
        self.ahead = 1000.0
        self.in_time = True
        self.woken: list[set[Stage]] = []
        self.rescuer = Rescuer(
            database,
            lease_seconds=LEASE,
            alive_within_seconds=2 * LEASE,
            wake=self._wake,
            is_in_time=lambda: self.in_time,
            clock=lambda: time.monotonic() + self.ahead,
        )

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


def test_a_sweep_writes_down_which_workers_fell_silent_but_not_while_it_is_held_back(database: Database) -> None:
    scene = Scene(database)
    register_worker(database, worker_id="gpu0", host="here", pid=42, device="cpu", stages=[Stage.CAPTION], threads=1, versions={})
    with database.engine.begin() as connection:
        connection.execute(update(workers).values(seen_at=now() - 10 * LEASE))

    scene.in_time = False
    scene.rescuer.sweep()
    assert has_ended(database) == [False]

    scene.in_time = True
    scene.rescuer.sweep()
    assert has_ended(database) == [True]


def has_ended(database: Database) -> list[bool]:
    """For each worker."""
    with database.read() as connection:
        return [moment is not None for moment in connection.scalars(select(workers.c.stopped_at))]


def test_a_rescuer_that_is_held_back_waits_for_one_lease(database: Database, silent: CampaignHarness) -> None:
    scene = Scene(database)
    scene.rescuer.hold_back()

    scene.rescuer.sweep()
    assert silent.states(Stage.CAPTION) == {"running": 2}
    assert scene.woken == []

    scene.ahead += LEASE
    scene.rescuer.sweep()
    assert silent.states(Stage.CAPTION) == {"ready": 2}


def test_a_sweep_that_fails_holds_itself_back(database: Database, silent: CampaignHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(database)

    def away(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable("the database is starting up")

    with monkeypatch.context() as patched:
        patched.setattr(rescuing, "sweep", away)
        with pytest.raises(DatabaseUnavailable):
            scene.rescuer.sweep()

    scene.rescuer.sweep()
    assert silent.states(Stage.CAPTION) == {"running": 2}
    scene.ahead += LEASE
    scene.rescuer.sweep()
    assert silent.states(Stage.CAPTION) == {"ready": 2}


def test_workers_are_woken_for_everything_that_is_ready_whoever_made_it_so(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.finish(harness.claim(Stage.CAPTION, limit=1))
    scene = Scene(database)

    scene.rescuer.sweep()

    assert scene.woken == [{Stage.CAPTION, Stage.PROMPT}]


def test_a_worker_whose_own_renewals_do_not_get_through_judges_nobody(database: Database, silent: CampaignHarness) -> None:
    scene = Scene(database)
    scene.in_time = False

    scene.rescuer.sweep()

    assert silent.states(Stage.CAPTION) == {"running": 2}


@pytest.mark.parametrize("seconds", [100.0, -100.0])
def test_a_step_of_the_databases_clock_holds_the_sweep_back_for_one_lease(
    seconds: float, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a rescuer that has read both clocks, and a lease that looks expired because the database's clock was moved
    harness = harness_of(database, 2)
    scene = Scene(database)
    scene.rescuer.sweep()
    harness.expire_leases(harness.claim(Stage.CAPTION, worker="living"))
    scene.ahead -= seconds
    scene.rescuer._not_before = 0.0  # the test moves the host's clock instead

    scene.rescuer.sweep()
    assert harness.states(Stage.CAPTION) == {"running": 2}
    assert f"the clock of the database moved by {seconds:+.0f} s" in caplog.text

    scene.ahead += LEASE
    scene.rescuer._clocks = None
    scene.rescuer.sweep()
    assert harness.states(Stage.CAPTION) == {"ready": 2}


def test_clocks_that_run_together_hold_nothing_back(database: Database, silent: CampaignHarness) -> None:
    scene = Scene(database)
    for _ in range(3):
        scene.rescuer.sweep()

    assert silent.states(Stage.CAPTION) == {"ready": 2}
    assert len(scene.woken) == 3


def test_a_sweep_that_waited_for_the_writers_lock_does_not_take_what_could_not_be_renewed_meanwhile(sqlite_database: Database) -> None:
    # Given a lease of a silent worker, and one of a living worker that runs out while somebody else writes
    harness = harness_of(sqlite_database, 2)
    harness.expire_leases(harness.claim(Stage.CAPTION, worker="silent", limit=1))
    harness.claim(Stage.CAPTION, worker="living", limit=1, lease_seconds=LEASE)
    rescuer: Rescuer = Rescuer(
        sqlite_database,
        lease_seconds=LEASE,
        alive_within_seconds=2 * LEASE,
        wake=lambda _: None,
        is_in_time=lambda: keeper.is_in_time,
    )
    keeper = LeaseKeeper(
        sqlite_database,
        worker_id=own_identity("cpu", "cpu", host="here").worker_id,
        lease_seconds=LEASE,
        troubles=list,
        on_failure=rescuer.hold_back,
    )
    keeper.beat()
    writer = sqlite3.connect(str(sqlite_database.engine.url.database), isolation_level=None, timeout=30)
    writer.execute("BEGIN IMMEDIATE")

    # When a sweep has to wait for that
    sweeping = threading.Thread(target=rescuer.sweep)
    sweeping.start()
    time.sleep(1.5 * LEASE)
    writer.execute("COMMIT")
    writer.close()
    sweeping.join(30)

    # Then it takes nothing, also not right after the next renewal, which was late
    assert len(harness.rows(leases)) == 2
    keeper.beat()
    rescuer.sweep()
    assert len(harness.rows(leases)) == 2


def test_a_worker_whose_turn_it_is_not_leaves_the_sweep_to_others(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.expire_leases(harness.claim(Stage.CAPTION))
    mine: list[bool] = [False]
    rescuer = Rescuer(
        database, lease_seconds=LEASE, alive_within_seconds=2 * LEASE, wake=lambda _: None, is_my_turn=lambda: mine[0], clock=time.monotonic
    )

    rescuer.sweep()
    assert harness.states(Stage.CAPTION) == {"running": 2}

    mine[0] = True
    rescuer.sweep()
    assert harness.states(Stage.CAPTION) == {"ready": 2}
