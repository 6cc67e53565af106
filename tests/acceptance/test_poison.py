"""Jobs that take their worker down, and batches that never end: the worker comes back, the innocent are done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.tables import attempts, jobs, workers
from tests.acceptance.installation import HASTE
from tests.acceptance.pictures import BRIGHT, paint
from tests.acceptance.recipe import fake_campaign
from tests.acceptance.record import rows, states

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.installation import Installation

pytestmark = pytest.mark.timeout(600)

#: Two processes: while one waits to be started again the other goes on. And who vanished is missed soon.
GPUS = HASTE | {"PARAGONE_GPUS": "0,1", "PARAGONE_LEASE_SECONDS": "2.5", "PARAGONE_HEARTBEAT_SECONDS": "0.5"}


def test_a_job_that_crashes_its_worker_is_found_out_and_all_others_are_done(installation: Installation, tmp_path: Path) -> None:
    # Given one artwork among eight whose caption ends the process
    host = installation.on(installation.directory, **GPUS)
    paint(tmp_path / "pictures", 8, bright=[5])
    host.output_of("ingest", tmp_path / "pictures")
    host.output_of("enqueue", "--config", fake_campaign(tmp_path / "plan.toml", caption={"fail": {"kind": "crash", "when": BRIGHT}}))

    # When two processes work on
    with host.working("--until-idle", gpus="0,1") as fleet:
        assert fleet.ends() == 0, fleet.told

    # Then the guilty one is poison and nobody else
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


def test_a_batch_that_never_ends_takes_its_process_and_is_tried_again(installation: Installation, tmp_path: Path) -> None:
    # Given a repaint that hangs, and a budget of seconds
    host = installation.on(installation.directory, PARAGONE_BUDGET_SECONDS="3", **GPUS)
    paint(tmp_path / "pictures", 6, bright=[2])
    host.output_of("ingest", tmp_path / "pictures")
    plan = fake_campaign(tmp_path / "plan.toml", batch=1, repaint={"fail": {"kind": "hang", "when": BRIGHT}})
    host.output_of("enqueue", "--config", plan)

    # When it is worked on
    with host.working("--until-idle", gpus="0,1") as fleet:
        assert fleet.ends() == 0, fleet.told

    # Then each time the process ended itself and said where it hung, until the job was given up
    (failure,) = host.json_of("failures")
    assert (failure["stage"], failure["kind"], failure["attempts"]) == ("generate", "poison", 3)
    assert "Timeout" in fleet.told
    assert "fakes.py" in fleet.told
    assert states(host) == {"done": 6 * 4 - 2, "failed": 1, "waiting": 1}
