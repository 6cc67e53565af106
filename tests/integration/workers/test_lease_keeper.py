from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from db.enums import Stage
from db.errors import DatabaseUnavailable
from db.monitoring.worker_registry import live_workers, register_worker
from db.tables import leases
from tests.builders import harness_of
from workers import lease_keeper as lease_keeping
from workers.identity import own_identity
from workers.lease_keeper import LeaseKeeper

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.engine import Database


class Failures:
    """Counts how often it was called."""

    count = 0

    def __call__(self) -> None:
        self.count += 1


def keeper_of(
    database: Database,
    *,
    troubles: list[str] | None = None,
    failures: Failures | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> LeaseKeeper:
    identity = own_identity("cpu", "cpu", host="here")
    register_worker(database, stages=[Stage.CAPTION], threads=1, **identity.facts())
    return LeaseKeeper(
        database,
        worker_id=identity.worker_id,
        lease_seconds=500.0,
        troubles=lambda: troubles or [],
        on_failure=failures or Failures(),
        clock=clock,
    )


def test_a_beat_renews_what_is_held_and_nothing_else(database: Database) -> None:
    harness = harness_of(database, 2)
    held, dropped = (harness.claim(Stage.CAPTION, limit=1, lease_seconds=100.0) for _ in range(2))
    keeper = keeper_of(database)
    before = {row["token"]: row["expires_at"] for row in harness.rows(leases)}

    with keeper.holding(held.token):
        assert keeper.held == [held.token]
        keeper.beat()

    after = {row["token"]: row["expires_at"] for row in harness.rows(leases)}
    assert after[held.token] > before[held.token] + 300
    assert after[dropped.token] == before[dropped.token]
    assert keeper.held == []


def test_a_lease_is_let_go_when_its_batch_fails(database: Database) -> None:
    keeper = keeper_of(database)

    with pytest.raises(ZeroDivisionError), keeper.holding("token"):
        raise ZeroDivisionError

    assert keeper.held == []


def test_a_beat_shows_the_workers_troubles(database: Database) -> None:
    troubles = ["no such model", "no such backend"]
    keeper = keeper_of(database, troubles=troubles)

    keeper.beat()
    assert [worker.trouble for worker in live_workers(database, within_seconds=60)] == ["no such model; no such backend"]

    troubles.clear()
    keeper.beat()
    assert [worker.trouble for worker in live_workers(database, within_seconds=60)] == [None]


def test_a_beat_that_does_not_reach_the_database_is_reported_and_raised(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = Failures()
    keeper = keeper_of(database, failures=failures)

    def away(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable("the database is starting up")

    monkeypatch.setattr(lease_keeping, "renew", away)
    with pytest.raises(DatabaseUnavailable):
        keeper.beat()

    assert failures.count == 1


class TestTime:
    """A lease of 500 s and a clock that the test moves."""

    @pytest.fixture
    def moment(self) -> list[float]:
        return [1000.0]

    def test_a_worker_is_in_time_until_its_last_renewal_is_old(self, database: Database, moment: list[float]) -> None:
        keeper = keeper_of(database, clock=lambda: moment[0])
        assert not keeper.is_in_time, "it has renewed nothing yet"

        keeper.beat()
        moment[0] += 290
        assert keeper.is_in_time
        moment[0] += 20
        assert not keeper.is_in_time

    def test_a_beat_that_comes_late_is_reported_although_it_succeeds(self, database: Database, moment: list[float]) -> None:
        failures = Failures()
        keeper = keeper_of(database, failures=failures, clock=lambda: moment[0])
        keeper.beat()
        moment[0] += 200
        keeper.beat()
        assert failures.count == 0

        moment[0] += 310
        keeper.beat()
        assert failures.count == 1

    def test_a_beat_that_was_blocked_is_late_and_counts_from_when_it_began(
        self, database: Database, moment: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failures = Failures()
        keeper = keeper_of(database, failures=failures, clock=lambda: moment[0])
        keeper.beat()

        def blocked(*_: Any, **__: Any) -> int:
            moment[0] += 310
            return 0

        monkeypatch.setattr(lease_keeping, "renew", blocked)
        keeper.beat()

        assert failures.count == 1
        assert not keeper.is_in_time
