"""How a worker process ended: whether by itself, and the reason in words."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from db.enums import WorkerEnd
from workers.supervision.exit_codes import ExitCode


@dataclass(frozen=True, kw_only=True)
class ChildEnding:
    """The end of one worker process, as its supervisor saw it."""

    #: Its exit code, or the negative number of the signal that ended it.
    code: int
    #: Whether it said that it was done, or was to stay away.
    finished: bool
    #: Whether it had claimed a batch.
    began: bool
    #: Whether the supervisor itself killed it, after the grace period.
    killed_by_supervisor: bool
    #: Whether it had a time limit that had passed.
    overdue: bool
    #: Whether the kernel killed some process for want of memory during its life; None if nobody can tell.
    out_of_memory: bool | None
    #: What it wrote of an error before it ended.
    error: str

    @property
    def is_done(self) -> bool:
        """Whether it need not be started again: nothing is left, or Celery's remote `shutdown` was meant."""
        return self.code == ExitCode.DONE and self.finished

    @property
    def was_stopped(self) -> bool:
        """Whether a signal asked it to stop, before it could listen or after."""
        return self.code in {ExitCode.STOPPED, -signal.SIGTERM}

    @property
    def outlasted_grace(self) -> bool:
        """Whether it was asked to stop, and a batch could not be finished in time."""
        return self.killed_by_supervisor or self.code == ExitCode.GAVE_UP

    @property
    def end(self) -> WorkerEnd:
        """What it says about the jobs that it held."""
        if self.outlasted_grace or self.was_stopped or self.is_done or self.code == ExitCode.TOO_OLD:
            return WorkerEnd.STOPPED
        # The kernel's OOM killer sends the same signal; where nobody counts its victims it may have been that.
        if self.code == -signal.SIGKILL and self.out_of_memory is False:
            return WorkerEnd.KILLED
        return WorkerEnd.CRASHED

    @property
    def reason(self) -> str:
        """What happened, to follow the worker's name in a sentence."""
        if self.killed_by_supervisor:
            return "did not end within its grace period and was killed"
        if self.code < 0:
            memory = " (the host ran out of memory)" if self.code == -signal.SIGKILL and self.out_of_memory else ""
            return f"was killed by {_signal_name(-self.code)}{memory}"
        if self.overdue and self.code == ExitCode.FAILED:
            return "exceeded its time limit"
        if self.code == ExitCode.DONE and not self.finished:
            return "ended with exit code 0 although it was not done"
        told = f" ({self.error})" if self.error else ""
        return _REASONS.get(self.code, f"ended with exit code {self.code}{told}")


_REASONS: dict[int, str] = {
    ExitCode.DONE: "was done",
    ExitCode.STOPPED: "was stopped by a signal",
    ExitCode.TOO_OLD: "is too old for the database",
    ExitCode.GAVE_UP: "left a batch unfinished that outlasted its grace period",
}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
