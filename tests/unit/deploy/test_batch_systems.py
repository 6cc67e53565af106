"""Slurm's script and SkyPilot's task; and what shells say of every script."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from tests.unit.docs.pages import ROOT
from workers.supervision.supervisor import KILL_MARGIN

SBATCH = ROOT / "deploy/slurm/paragone-worker.sbatch"
SKYPILOT = ROOT / "deploy/skypilot/worker.yaml"

#: In the place of the command: it says what it does, and ends 0 on SIGTERM as `paragone work` does, a moment later.
WORKER = """#!/bin/bash
trap 'echo stopped >>"$TOLD"; sleep 0.3; echo ended >>"$TOLD"; exit 0' TERM
echo "$@" grace "$PARAGONE_GRACE_SECONDS" >>"$TOLD"
[ -z "${IDLE:-}" ] || exit 0
while :; do sleep 0.05; done
"""
SCONTROL = """#!/bin/sh
echo scontrol "$@" >>"$TOLD"
"""


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no shellcheck on this machine")
@pytest.mark.parametrize("script", [SBATCH, ROOT / "deploy/make-secrets.sh"], ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    done = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == ""


@pytest.fixture
def job(tmp_path: Path) -> dict[str, str]:
    """The environment of the script on a node, with programs in the place of Slurm's and ours."""
    for name, text in (("paragone", WORKER), ("scontrol", SCONTROL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARAGONE_")}
    return kept | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TOLD": str(tmp_path / "told"), "SLURM_JOB_ID": "77"}


def _told(job: dict[str, str], *, lines: int) -> list[str]:
    told, deadline = Path(job["TOLD"]), time.monotonic() + 60
    while time.monotonic() < deadline:
        found = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
        if len(found) >= lines:
            return found
        time.sleep(0.02)
    raise AssertionError("the worker was not started")


def test_a_preempted_job_stops_its_worker_softly_and_is_queued_again(job: dict[str, str]) -> None:
    # Given the script with its worker
    with subprocess.Popen(["bash", SBATCH], env=job) as script:
        started = _told(job, lines=1)
        assert started == ["work --gpus all --until-idle grace 100"]

        # When Slurm signals the script alone
        script.send_signal(signal.SIGTERM)

        # Then it waits for its worker, and only then asks for another turn
        assert script.wait(timeout=60) == 0
    assert _told(job, lines=4)[1:] == ["stopped", "ended", "scontrol requeue 77"]


def test_a_job_that_finds_nothing_left_ends_for_good(job: dict[str, str]) -> None:
    done = subprocess.run(["bash", SBATCH], env=job | {"IDLE": "1"}, check=False, timeout=60)
    assert done.returncode == 0
    assert len(_told(job, lines=1)) == 1


def test_slurm_signals_early_enough() -> None:
    text = SBATCH.read_text(encoding="utf-8")
    (ahead,) = re.findall(r"^#SBATCH --signal=B:TERM@(\d+)$", text, re.MULTILINE)
    (grace,) = re.findall(r"PARAGONE_GRACE_SECONDS:-(\d+)", text)
    assert int(ahead) > int(grace) + KILL_MARGIN
    assert re.search(r"^#SBATCH --requeue$", text, re.MULTILINE)
    # Slurm reads its lines up to the first command.
    assert text.rindex("#SBATCH") < text.index("\nset -u\n")


def test_the_task_of_skypilot_has_the_keys_that_skypilot_knows_and_holds_no_secret() -> None:
    task = yaml.safe_load(SKYPILOT.read_text(encoding="utf-8"))
    assert task.keys() <= {"name", "workdir", "num_nodes", "resources", "envs", "secrets", "file_mounts", "setup", "run"}
    assert task["resources"].keys() <= {"accelerators", "use_spot", "disk_size", "image_id", "job_recovery", "cloud", "region", "ports"}
    assert not any(task["secrets"].values())
    assert not [name for name in task["envs"] if re.search("PASSWORD|SECRET|TOKEN|KEY", name)]
    for part in ("setup", "run"):
        subprocess.run(["bash", "-n"], input=task[part], text=True, check=True, timeout=60)
