"""kill -9 of every worker of one machine: the other machine finishes, and nothing is made twice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from db.tables import attempts, jobs, leases, workers
from tests.acceptance.installation import FAST_RECOVERY, Installation, RunningFleet, until
from tests.acceptance.queries import assert_complete, rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.postgresql import PostgresServer

pytestmark = pytest.mark.timeout(600)


def test_jobs_of_a_killed_worker_are_rescued_in_under_thirty_seconds_with_nothing_configured(
    embedded_installation: Installation,
) -> None:
    _one_of_two_is_killed(embedded_installation, within=30.0)


def test_jobs_of_a_killed_worker_are_rescued_on_postgresql_too(tmp_path: Path, postgres_server: PostgresServer, broker_url: str) -> None:
    name = postgres_server.create()
    settings = {**FAST_RECOVERY, "PARAGONE_DATABASE_URL": postgres_server.url(name), "PARAGONE_BROKER_URL": broker_url}
    installation = Installation(directory=tmp_path / "data", settings=settings)
    installation.output_of("init")
    _one_of_two_is_killed(installation, within=15.0)
    installation.close()
    postgres_server.drop(name)


def _one_of_two_is_killed(installation: Installation, *, within: float) -> None:
    # Given two machines at work, a second to a batch
    installation.plan(8, batch=2, repaint={"seconds_per_batch": 1.0})
    with installation.working("--until-idle") as victim, installation.working("--until-idle") as other:
        # When one is killed with a batch on its device
        held = until(lambda: _caught(installation, victim), what="the victim has a batch on its device")
        victim.kill()
        killed = time.time()
        # Then the other finishes everything
        assert other.wait() == 0, other.output
    assert_complete(installation, repaints=8)
    # And the jobs of the killed one were rescued in time
    lost = rows(installation, attempts, attempts.c.outcome == "lost")
    assert {row["job_id"] for row in lost} >= held
    assert len({row["worker_id"] for row in lost}) == 1, "a living worker lost jobs"
    assert max(row["ended_at"] for row in lost) - killed < within


def _caught(installation: Installation, fleet: RunningFleet) -> set[int]:
    """Stop the fleet in the middle of a batch: the batch on its device then cannot finish before it is killed."""
    if not _on_device(installation, fleet):
        return set()
    fleet.freeze()
    held = _on_device(installation, fleet)
    if not held:
        fleet.thaw()
    return held


def _on_device(installation: Installation, fleet: RunningFleet) -> set[int]:
    """The generate jobs that are on the fleet's device now."""
    pids = [process.pid for process in fleet.workers()]
    mine = [row["id"] for row in rows(installation, workers, workers.c.pid.in_(pids))]
    tokens = [row["token"] for row in rows(installation, leases, leases.c.worker_id.in_(mine), leases.c.started_at.is_not(None))]
    return {
        row["id"] for row in rows(installation, jobs, jobs.c.lease_token.in_(tokens), jobs.c.stage == "generate", jobs.c.state == "running")
    }
