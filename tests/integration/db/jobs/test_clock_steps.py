"""The clock of the database is moved: leases of living workers stay, those of dead ones do not stay for ever."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from db.enums import FailureKind, Stage
from db.jobs.backoff import end_pauses
from db.jobs.lease import renew
from db.jobs.sweep import sweep
from db.tables import attempts, jobs, leases
from tests.builders import harness_of

if TYPE_CHECKING:
    from db.engine import Database


def set_back(database: Database, seconds: float) -> None:
    """Let all leases be as they are after the clock went back by so many seconds."""
    with database.engine.begin() as connection:
        connection.execute(update(leases).values(expires_at=leases.c.expires_at + seconds))


def test_a_lease_from_before_the_clock_went_back_is_over(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.claim(Stage.CAPTION, lease_seconds=15.0)
    set_back(database, 3600.0)

    assert sweep(database, lease_seconds=0.0).returned == 2
    assert harness.states(Stage.CAPTION) == {"ready": 2}


def test_a_lease_that_its_worker_renewed_since_then_is_not(database: Database) -> None:
    harness = harness_of(database, 2)
    batch = harness.claim(Stage.CAPTION, lease_seconds=15.0)
    set_back(database, 3600.0)
    renew(database, [batch.token], lease_seconds=15.0)

    assert sweep(database, lease_seconds=0.0).returned == 0


@pytest.mark.parametrize("seconds", [0.0, 40.0])
def test_a_lease_within_two_renewals_and_a_minute_is_not_over(seconds: float, database: Database) -> None:
    harness = harness_of(database, 2)
    harness.claim(Stage.CAPTION, lease_seconds=60.0)
    set_back(database, seconds)

    assert sweep(database, lease_seconds=0.0).returned == 0


@pytest.mark.parametrize("seconds", [300.0, 5000.0])
def test_a_pause_from_before_the_clock_went_back_is_over_and_one_that_began_later_is_not(seconds: float, database: Database) -> None:
    # Given one job that failed before the clock went back, and one that failed since
    harness = harness_of(database, 2)
    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.TRANSIENT)
    with database.engine.begin() as connection:
        for column in (jobs.c.not_before, jobs.c.changed_at, attempts.c.ended_at):
            connection.execute(update(column.table).where(column > 0).values({column: column + seconds}))
    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.TRANSIENT)

    # Then the former is claimed at once, and the latter waits
    assert end_pauses(database) == 1
    assert end_pauses(database) == 0
    assert [row["not_before"] > 0 for row in harness.jobs(Stage.CAPTION)] == [False, True]


def test_a_sweep_asks_with_the_databases_time_whether_it_may(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.expire_leases(harness.claim(Stage.CAPTION))
    asked: list[float] = []

    def at_first_only(moment: float) -> bool:
        asked.append(moment)
        return len(asked) == 1

    assert sweep(database, lease_seconds=0.0, may_sweep=at_first_only).returned == 0
    assert len(asked) == 2
    assert all(abs(moment - time.time()) < 60 for moment in asked)
    assert sweep(database, lease_seconds=0.0, may_sweep=lambda _: True).returned == 2


def test_a_clock_that_went_back_past_the_start_of_the_server_does_not_keep_sweeps_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server that, by the clock as it is now, starts in an hour
    harness = harness_of(database, 2)
    harness.expire_leases(harness.claim(Stage.CAPTION))
    monkeypatch.setattr("db.jobs.sweep._UPTIME", "SELECT -3600.0")

    assert sweep(database, lease_seconds=15.0).returned == 2


def test_nothing_is_swept_for_one_lease_after_the_start_of_the_server(
    lasting_postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = harness_of(lasting_postgresql, 2)
    harness.expire_leases(harness.claim(Stage.CAPTION))
    monkeypatch.setattr("db.jobs.sweep._UPTIME", "SELECT 14.0")

    assert sweep(lasting_postgresql, lease_seconds=15.0).returned == 0
