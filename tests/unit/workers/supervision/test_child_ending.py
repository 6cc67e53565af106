from __future__ import annotations

import signal
from typing import Any

import pytest

from db.enums import WorkerEnd
from workers.supervision.child_ending import ChildEnding
from workers.supervision.exit_codes import ExitCode


def ending(code: int, **facts: Any) -> ChildEnding:
    usual: dict[str, Any] = {"finished": False, "began": True, "killed_by_supervisor": False, "overdue": False, "out_of_memory": False}
    return ChildEnding(code=code, error="", **usual | facts)


@pytest.mark.parametrize(
    "code", [-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGINT, 1, 2, 77, ExitCode.DONE]
)
def test_a_worker_that_ended_by_itself_crashed(code: int) -> None:
    assert ending(code).end is WorkerEnd.CRASHED


def test_a_worker_that_exceeded_its_time_limit_crashed() -> None:
    late = ending(ExitCode.FAILED, overdue=True)

    assert late.end is WorkerEnd.CRASHED
    assert late.reason == "exceeded its time limit"


@pytest.mark.parametrize("code", [-signal.SIGTERM, ExitCode.STOPPED, ExitCode.GAVE_UP])
def test_a_worker_that_was_asked_to_stop_did_not_crash(code: int) -> None:
    assert ending(code).end is WorkerEnd.STOPPED


def test_a_worker_that_said_it_was_done_did_not_crash() -> None:
    assert ending(ExitCode.DONE, finished=True).end is WorkerEnd.STOPPED
    assert ending(ExitCode.DONE, finished=True).is_done
    assert not ending(ExitCode.DONE).is_done


@pytest.mark.parametrize(("out_of_memory", "end"), [(False, WorkerEnd.KILLED), (True, WorkerEnd.CRASHED), (None, WorkerEnd.CRASHED)])
def test_a_kill_is_a_crash_only_if_it_may_have_been_for_want_of_memory(out_of_memory: bool | None, end: WorkerEnd) -> None:
    assert ending(-signal.SIGKILL, out_of_memory=out_of_memory).end is end
    assert ending(-signal.SIGKILL, out_of_memory=out_of_memory, killed_by_supervisor=True).end is WorkerEnd.STOPPED


def test_a_crash_of_another_kind_is_one_whatever_the_memory() -> None:
    assert ending(-signal.SIGSEGV, out_of_memory=False).end is WorkerEnd.CRASHED
    assert ending(-signal.SIGSEGV, out_of_memory=True).reason == "was killed by SIGSEGV"


@pytest.mark.parametrize(
    ("code", "facts", "reason"),
    [
        (-signal.SIGKILL, {}, "was killed by SIGKILL"),
        (-signal.SIGKILL, {"out_of_memory": True}, "was killed by SIGKILL (the host ran out of memory)"),
        (-signal.SIGKILL, {"killed_by_supervisor": True}, "did not end within its grace period and was killed"),
        (-63, {}, "was killed by signal 63"),
        (ExitCode.STOPPED, {}, "was stopped by a signal"),
        (ExitCode.FAILED, {}, "ended with exit code 1"),
        (ExitCode.DONE, {}, "ended with exit code 0 although it was not done"),
        (ExitCode.GAVE_UP, {}, "left a batch unfinished that outlasted its grace period"),
    ],
)
def test_a_reason_is_told_in_words(code: int, facts: dict[str, Any], reason: str) -> None:
    assert ending(code, **facts).reason == reason
