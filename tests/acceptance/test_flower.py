from __future__ import annotations

import base64
import json
import re
import subprocess
import urllib.error
import urllib.request
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from db.tables import jobs
from tests.acceptance.installation import PARAGONE, until
from tests.acceptance.queries import rows, states
from tests.acceptance.sample_images import BRIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.installation import Installation

pytestmark = pytest.mark.timeout(600)

PASSWORD = "open sesame"  # noqa: S105  # of this test alone
STATES = {"SUCCESS": "done", "FAILURE": "failed"}


@contextmanager
def _flower(installation: Installation) -> Iterator[tuple[str, list[str]]]:
    """A running `paragone flower`: its URL, and what it printed."""
    log = installation.directory.parent / "flower.log"
    with log.open("w") as errors:
        command = [PARAGONE, "flower", "--port", "0"]
        process = subprocess.Popen(command, env=installation.environment, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    printed = [process.stdout.readline(), process.stdout.readline()]
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", printed[0])
        assert found, (printed, log.read_text())
        yield found[0], printed
    finally:
        process.terminate()
        rest, _ = process.communicate(timeout=60)
        printed += [rest, log.read_text()]


def _get(url: str, login: str | None = None) -> Any:
    headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def test_flower_shows_one_task_for_each_job_and_agrees_with_status(installation: Installation, tmp_path: Path) -> None:
    # Given jobs of which some will fail, and Flower watching
    installation.plan(12, bright=(3, 7), levels=2, repaint={"seconds_per_batch": 0.1, "fail": {"kind": "bad", "when": BRIGHT}})
    with _flower(installation.on(installation.directory, PARAGONE_FLOWER_PASSWORD=PASSWORD)) as (url, printed):
        with pytest.raises(urllib.error.HTTPError) as refused:
            _get(f"{url}/api/tasks")
        refused.value.close()
        assert refused.value.code == 401

        # When it is worked on
        with installation.working("--until-idle") as fleet:
            assert fleet.wait() == 0, fleet.output

        # Then there is one task for each job that ran, under its id, named by its stage
        ran = {row["job_key"]: row for row in rows(installation, jobs, jobs.c.attempt_count > 0)}
        tasks = until(lambda: _ended(url, len(ran)), what="Flower knows how all jobs ended", seconds=60)
    assert tasks.keys() == ran.keys()
    for key, task in tasks.items():
        job = ran[key]
        assert task["name"] == job["stage"]
        assert STATES[task["state"]] == job["state"], (task, dict(job))
        assert "study" in task["args"]
        assert ("radical" in task["args"] or "moderate" in task["args"]) == (job["stage"] != "caption")
        assert task["worker"].startswith("cpu-")
        if task["state"] == "SUCCESS":
            assert task["runtime"] == pytest.approx(task["succeeded"] - task["started"], abs=0.001)
            assert task["name"] != "generate" or task["runtime"] >= 0.1, "a repaint holds the device for that long"
        else:
            assert "injected: bad" in task["exception"]

    # And one that is started afterwards knows the same of them, from the database
    with _flower(installation.on(installation.directory, PARAGONE_FLOWER_PASSWORD=PASSWORD)) as (url, _):
        remembered = _get(f"{url}/api/tasks?limit=10000", f"paragone:{PASSWORD}")
        totals = _get(f"{url}/workers?json=1", f"paragone:{PASSWORD}")["data"]
    assert remembered.keys() == tasks.keys()
    for key, task in tasks.items():
        again = remembered[key]
        for name in ("name", "state", "args", "worker", "exception", "retries", "result"):
            assert again[name] == task[name], (name, key)
        for name in ("started", "succeeded", "failed", "runtime"):
            assert (again[name] is None) == (task[name] is None), (name, key)
            assert task[name] is None or again[name] == pytest.approx(task[name], abs=1.0), (name, key)
        if again["runtime"] is not None:
            assert again["runtime"] == pytest.approx(again["succeeded"] - again["started"], abs=0.001)
    assert sum(worker["task-succeeded"] for worker in totals) == sum(task["state"] == "SUCCESS" for task in tasks.values())
    assert not any(worker["status"] for worker in totals), "its worker has ended"

    # And its totals are those of status
    by_stage = Counter((task["name"], STATES[task["state"]]) for task in tasks.values())
    in_status = installation.json_of("status")["jobs"]
    counts = {(stage, state): count for stage, by_state in in_status.items() for state, count in by_state.items()}
    assert by_stage == {key: count for key, count in counts.items() if key[1] != "waiting"}
    assert by_stage["generate", "failed"] == 4
    assert states(installation)["waiting"] == 4
    assert PASSWORD not in "".join(printed)


def _ended(url: str, count: int) -> dict[str, Any] | None:
    tasks: dict[str, Any] = _get(f"{url}/api/tasks?limit=10000", f"paragone:{PASSWORD}")
    return tasks if len(tasks) == count and all(task["state"] in STATES for task in tasks.values()) else None
