from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psutil
import pytest

from db.tables import attempts, leases, workers
from tests.acceptance.installation import until
from tests.acceptance.queries import outcomes, rows, states
from workers.wake_ups.app import create_app

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.installation import Installation, RunningFleet

pytestmark = pytest.mark.timeout(600)

GPUS = {"PARAGONE_GPUS": "0,1", "PARAGONE_RESTART_SECONDS": "0.1"}


def test_each_gpu_gets_its_own_process_and_sigterm_releases_batches_not_started(installation: Installation, tmp_path: Path) -> None:
    # Given a host with two GPUs and slow work
    host = installation.on(installation.directory, **GPUS)
    host.plan(60, batch=2, caption={"seconds_per_batch": 2.0})

    with host.working(gpus="0,1") as fleet:
        # When both work: one batch on each device, others ready beside it
        until(lambda: len(_busy(host)) == 2 and len(rows(host, leases)) >= 4, what="both devices are busy")

        # Then each process sees its own GPU alone, under a name of its own everywhere
        pinned = {process.pid: process.environ()["CUDA_VISIBLE_DEVICES"] for process in fleet.workers()}
        assert sorted(pinned.values()) == ["0", "1"]
        alive = host.json_of("status")["workers"]
        assert {worker["pid"] for worker in alive} == pinned.keys()
        assert all(worker["id"].startswith(f"gpu{pinned[worker['pid']]}-") for worker in alive)
        assert {worker["device"] for worker in alive} == {"cuda"}
        assert _answering(host) == {worker["id"] for worker in alive}

        # And told to stop, they finish what is on the devices, release the rest, and exit with 0
        assert fleet.stop() == 0, fleet.output
    assert rows(host, leases) == []
    assert states(host, "caption").keys() <= {"done", "ready"}
    assert states(host, "caption")["ready"] > 0
    assert outcomes(host).keys() == {"done"}, "a release is no attempt"
    assert len(rows(host, attempts)) == states(host)["done"]
    assert host.json_of("status")["workers"] == []


def test_a_gpu_that_does_not_exist_is_refused_with_one_line(installation: Installation) -> None:
    done = installation.on(installation.directory, **GPUS).run("work", "--gpus", "0,5", "--until-idle")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "0,5" in done.stderr
    assert "it has 0, 1" in done.stderr


def test_a_killed_worker_is_restarted_on_its_gpu_and_ends_with_its_supervisor(installation: Installation) -> None:
    host = installation.on(installation.directory, **GPUS)
    with host.working(gpus="0,1") as fleet:
        first = until(lambda: len(found := fleet.workers()) == 2 and found, what="both are running")
        victim, spared = first
        gpu = victim.environ()["CUDA_VISIBLE_DEVICES"]
        victim.kill()
        fresh = until(lambda: _other(fleet, {one.pid for one in first}), what="another process is started")
        assert fresh.environ()["CUDA_VISIBLE_DEVICES"] == gpu
        assert spared.is_running()
        # A supervisor that is killed leaves no worker behind on a rented GPU.
        until(lambda: fresh.pid in {row["pid"] for row in rows(host, workers)}, what="it works")
        fleet.process.kill()
        until(lambda: _gone(fresh) and _gone(spared), what="the workers end too")


def _busy(installation: Installation) -> set[str]:
    return {row["worker_id"] for row in rows(installation, leases, leases.c.started_at.is_not(None))}


def _answering(installation: Installation) -> set[str]:
    with create_app(installation.settings["PARAGONE_BROKER_URL"]) as app:
        found: dict[str, Any] | None = until(
            lambda: (answer := app.control.inspect(timeout=2).ping()) and len(answer) == 2 and answer, what="both answer a ping"
        )
    assert found is not None
    return set(found)


def _gone(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)  # not every init process buries them
    except psutil.NoSuchProcess:
        return True


def _other(fleet: RunningFleet, known: set[int]) -> Any:
    return next((process for process in fleet.workers() if process.pid not in known), None)
