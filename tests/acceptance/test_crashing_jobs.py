"""Jobs that crash their worker, and batches that never end: the worker is restarted, and all other jobs are done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.tables import attempts, jobs, workers
from tests.acceptance.installation import FAST_RECOVERY
from tests.acceptance.queries import rows, states
from tests.acceptance.sample_images import BRIGHT

if TYPE_CHECKING:
    from tests.acceptance.installation import Installation

pytestmark = pytest.mark.timeout(600)

#: Two processes: while one waits to be restarted the other goes on. And a crashed one is missed soon.
GPUS = FAST_RECOVERY | {"PARAGONE_GPUS": "0,1", "PARAGONE_LEASE_SECONDS": "2.5", "PARAGONE_HEARTBEAT_SECONDS": "0.5"}


def test_a_job_that_crashes_its_worker_is_poison_and_all_others_are_done(installation: Installation) -> None:
    # Given one artwork among eight whose caption ends the process
    host = installation.on(installation.directory, **GPUS)
    host.plan(8, bright=[5], caption={"fail": {"kind": "crash", "when": BRIGHT}})

    # When two processes work on
    with host.working("--until-idle", gpus="0,1") as fleet:
        assert fleet.wait() == 0, fleet.output

    # Then this job alone is poison
    (failure,) = host.json_of("failures")
    assert (failure["stage"], failure["kind"]) == ("caption", "poison")
    assert "study-005" in failure["artwork"]
    assert "3 times" in failure["error"]
    assert states(host) == {"done": 7 * 4, "failed": 1, "waiting": 3}

    # And it crashed once among others, then alone, each time another process
    (guilty,) = rows(host, jobs, jobs.c.state == "failed")
    tries = rows(host, attempts, attempts.c.job_id == guilty["id"])
    assert {row["outcome"] for row in tries} == {"lost"}
    assert [row["batch_size"] for row in tries][-3:] == [1, 1, 1]
    assert len({row["worker_id"] for row in tries}) == len(tries)
    assert len(rows(host, workers)) >= len(tries)


def test_a_batch_that_exceeds_its_time_limit_ends_its_process_and_is_retried(installation: Installation) -> None:
    # Given a repaint that hangs, and a time limit of seconds
    host = installation.on(installation.directory, PARAGONE_BUDGET_SECONDS="2", **GPUS)
    host.plan(6, bright=[2], batch=1, repaint={"fail": {"kind": "hang", "when": BRIGHT}})

    # When it is worked on
    with host.working("--until-idle", gpus="0,1") as fleet:
        assert fleet.wait() == 0, fleet.output

    # Then the process ended itself each time and printed where it hung, until the job was given up
    (failure,) = host.json_of("failures")
    assert (failure["stage"], failure["kind"], failure["attempts"]) == ("generate", "poison", 3)
    assert "Timeout" in fleet.output
    assert "fakes.py" in fleet.output
    assert states(host) == {"done": 6 * 4 - 2, "failed": 1, "waiting": 1}
