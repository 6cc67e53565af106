"""The supervisor: one worker process for each device of this host, started again whenever it ends and was not asked to."""

from __future__ import annotations

import logging
import signal
import time
from typing import TYPE_CHECKING

from workers.supervision.child_process import ChildProcess
from workers.supervision.exit_codes import ExitCode
from workers.supervision.notice import NoticeWatch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from db.enums import Stage
    from db.settings import Settings
    from workers.gpus import Device
    from workers.metrics.fleet_metrics import FleetMetrics
    from workers.supervision.child_ending import ChildEnding
    from workers.supervision.job_return import JobReturn

logger = logging.getLogger(__name__)

#: Seconds up to which the pauses double before restarts of a process that ends without having begun; after a life longer than that the
#: first pause is the settings' again.
LONGEST_PAUSE = 60.0
LOOK_SECONDS = 0.1
#: Seconds beyond the grace period before a process that does not end by itself is killed: it may still close, or give up.
KILL_MARGIN = 10.0
#: Seconds for which the return of dead workers' jobs is waited for at the end.
RETURN_SECONDS = 3.0


class Supervisor:
    """Keeps one worker alive on each device until it is asked to stop or all of them are done."""

    def __init__(
        self,
        devices: Sequence[Device],
        *,
        settings: Settings,
        stages: Sequence[Stage],
        until_idle: bool,
        job_return: JobReturn | None = None,
        metrics: FleetMetrics | None = None,
    ) -> None:
        """`job_return` gives back the jobs of workers that died; `metrics` is told of their lives."""
        folder = None if metrics is None else metrics.folder
        self._children = [ChildProcess.of(device, settings, stages, until_idle=until_idle, metrics_folder=folder) for device in devices]
        self._metrics = metrics
        self._grace = settings.grace_seconds
        self._first_pause = settings.restart_seconds
        self._until_idle = until_idle
        self._job_return = job_return
        self._notice = (
            NoticeWatch(settings.notice_command, seconds=settings.notice_seconds, on_notice=self._take_notice)
            if settings.notice_command.strip()
            else None
        )
        self._stopping = False
        #: Whether the host is about to be taken away.
        self._noticed = False

    def run(self) -> int:
        """Start, watch and restart until every process has ended for good.

        Returns 0 if it was asked to stop, or had notice that the host is taken away, or if each process was asked and said so, was drained,
        or found nothing left to expect; 1 if what is left waits for a model that is unavailable here, if a batch outlasted the grace period
        (but not after a notice), or if this program is too old for the database.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        if self._notice is not None:
            self._notice.start()
        try:
            while any(child.ended is None for child in self._children):
                for child in self._children:
                    self._look_after(child)
                time.sleep(LOOK_SECONDS)
        finally:
            if self._notice is not None:
                self._notice.stop()
            for child in self._children:
                if child.process is not None and child.process.poll() is None:
                    child.process.kill()
            if self._job_return is not None:
                self._job_return.wait(RETURN_SECONDS)
        return 1 if any(child.ended for child in self._children) else 0

    def _look_after(self, child: ChildProcess) -> None:
        if child.ended is not None:
            return
        if child.process is None:
            if self._stopping:
                child.ended = 0
            elif time.monotonic() >= child.restart_at:
                child.start()
                if self._metrics is not None:
                    self._metrics.note_start(child.device)
            return
        code, pid = child.process.poll(), child.process.pid
        if code is not None:
            self._note_end(child, child.take_ending(code))
            if self._metrics is not None:
                self._metrics.note_end(child.device, pid)
            return
        child.read_report()
        if self._stopping:
            self._end(child)

    def _note_end(self, child: ChildProcess, ending: ChildEnding) -> None:
        if self._job_return is not None and not ending.is_done:
            self._job_return.begin(child.worker_id, end=ending.end)
        if ending.is_done:
            child.ended = 0
        elif self._until_idle and ending.code == ExitCode.MODEL_TROUBLE:
            child.ended = ending.code
        elif ending.code == ExitCode.TOO_OLD:
            child.ended = 1
        elif self._stopping:
            if not ending.was_stopped:
                logger.warning("the worker %s %s while it was stopping", child.worker_id, ending.reason)
            child.ended = 1 if ending.outlasted_grace and not self._noticed else 0
        else:
            self._plan_restart(child, ending)

    def _plan_restart(self, child: ChildProcess, ending: ChildEnding) -> None:
        """A host that cannot start a worker tries less and less often; one whose jobs crash it goes on with the others at once."""
        lived = time.monotonic() - child.started
        if ending.began or lived > LONGEST_PAUSE:
            child.pause = self._first_pause
        pause = 0.0 if ending.code == ExitCode.STOPPED else child.pause
        child.restart_at = time.monotonic() + pause
        again = f"in {pause:.0f} s" if pause else "at once"
        logger.warning("the worker %s %s after %.0f s: starting again %s", child.worker_id, ending.reason, lived, again)
        if not ending.began and pause:
            child.pause = min(LONGEST_PAUSE, child.pause * 2)

    def _end(self, child: ChildProcess) -> None:
        if child.process is None:
            return
        if child.stop_asked_at is None:
            child.stop_asked_at = time.monotonic()
            child.process.terminate()
        elif time.monotonic() - child.stop_asked_at > self._grace + KILL_MARGIN and not child.killed:
            child.killed = True
            child.process.kill()

    def _take_notice(self) -> None:
        logger.warning("notice: this host is about to be taken away; its workers finish or give back what they hold, and end")
        self._noticed = self._stopping = True

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        # Nothing more here: a signal may come between the start of a process and its being recorded.
        self._stopping = True
