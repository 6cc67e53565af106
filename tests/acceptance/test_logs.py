"""What `paragone work` writes: for people what it does, and with PARAGONE_LOG=json one object a line, whatever happens."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from db.enums import JobState, Stage
from db.logs.json_lines import FIELDS
from db.tables import jobs
from tests.acceptance.installation import FAST_RECOVERY, until
from tests.acceptance.queries import rows, states
from tests.acceptance.sample_images import BRIGHT

if TYPE_CHECKING:
    from tests.acceptance.installation import Installation

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow(reason="runs the installed command")]


def lines_of(output: str) -> list[dict[str, Any]]:
    """Every line, each of which must be an object with the fields that the documentation names."""
    found: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
    for line in found:
        assert line.keys() >= {"time", "level", "logger", "message", "host"}, line
        assert line.keys() <= set(FIELDS), line
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    return found


def test_every_line_is_json_through_a_failing_job_a_hanging_one_and_a_signal(installation: Installation) -> None:
    # Given a job that fails by an error nobody foresaw, and a repaint that hangs beyond its time limit
    faults = {"caption": {"fail": {"kind": "os-error", "when": BRIGHT}}, "repaint": {"fail": {"kind": "hang"}}}
    host = installation.on(installation.directory, **FAST_RECOVERY, PARAGONE_LOG="json", PARAGONE_BUDGET_SECONDS="2")
    host.plan(3, bright=[1], **faults)

    failed_caption = (jobs.c.stage == str(Stage.CAPTION), jobs.c.state == str(JobState.FAILED))
    # When it is worked on until both have happened, and the worker is stopped
    with host.working() as fleet:
        (failed,) = until(lambda: rows(host, jobs, *failed_caption), what="the caption was given up")
        until(lambda: "exceeded its time limit" in fleet.output, what="the repaint has outlived its limit")
        until(lambda: fleet.output.count("works on") > 1, what="the next worker is there")
        fleet.stop()
        lines = lines_of(fleet.output)

    # Then the failure tells which job it was of, with its traceback in one field
    traced = [line for line in lines if "exception" in line and line["logger"] == "workers.batches.failures"]
    assert traced
    for line in traced:
        assert (line["campaign"], line["stage"], line["job"], line["level"]) == ("default", "caption", failed["job_key"], "ERROR")
        assert line["worker"].startswith("cpu-")
        assert "OSError" in line["exception"].splitlines()[-1]

    # And what the interpreter wrote by itself names the worker; the supervisor's own line is JSON too
    dumped = [line for line in lines if line["logger"] == "stderr"]
    assert any("Timeout (" in line["message"] for line in dumped)
    assert all(line["worker"].startswith("cpu-") for line in dumped)
    assert any(line["logger"] == "workers.supervision.supervisor" for line in lines)
    loaded = next(line for line in lines if line["message"].startswith("loaded fake-caption"))
    assert (loaded["model"], loaded["device"], loaded["stage"]) == ("fake-caption", "cpu", "caption")


def test_people_read_what_was_loaded_and_in_the_end_what_was_done(installation: Installation) -> None:
    installation.plan(3)
    with installation.working() as fleet:
        until(lambda: states(installation) == {JobState.DONE: 12}, what="all is done")
        assert fleet.stop() == 0
        told = fleet.output
    assert re.search(
        r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO workers.model_cache: loaded fake-caption on cpu in \d+\.\d s$", told, re.MULTILINE
    )
    last = told.splitlines()[-1]
    assert re.search(
        r"INFO workers.work_log: worked for .*, asked to stop: caption 3 done, prompt 3 done, generate 3 done, recaption 3", last
    )


def test_a_command_that_fails_says_so_in_one_json_line(installation: Installation) -> None:
    host = installation.on(installation.directory, PARAGONE_LOG="json")
    for arguments, code, told in (
        (("pause", "--campaign", "nope"), 1, "there is no campaign"),
        (("pause", "--stage", "nope"), 2, "nope"),
        (("nope",), 2, "nope"),
    ):
        done = host.run(*arguments)
        (line,) = lines_of(done.stderr)
        assert (done.returncode, line["level"]) == (code, "ERROR")
        assert told in line["message"]


def test_a_form_of_logs_that_there_is_not_is_refused_in_one_line(installation: Installation) -> None:
    done = installation.on(installation.directory, PARAGONE_LOG="xml").run("work")
    assert done.returncode == 1
    assert (
        done.stderr == "paragone: the environment contains settings that cannot be used: PARAGONE_LOG: Input should be 'human' or 'json'\n"
    )
