"""When a worker may end by itself: nothing can be expected any more, or all that is left waits for an unavailable model."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from db.errors import DatabaseUnavailable
from db.monitoring.work_left import work_left
from workers.error_log import ErrorLog

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from db.engine import Database
    from db.enums import Stage
    from workers.scheduling.scheduler import Scheduler

logger = logging.getLogger(__name__)

#: Seconds between two looks whether everything is done.
IDLE_LOOK_SECONDS = 0.5
#: Looks in a row that must find nothing to expect.
QUIET_LOOKS = 2


class IdleWatch:
    """Looks for work of some stages that can still come."""

    def __init__(self, database: Database, *, stages: Sequence[Stage], scheduler: Scheduler, is_busy: Callable[[], bool]) -> None:
        self._database = database
        self._stages = stages
        self._scheduler = scheduler
        self._is_busy = is_busy
        self._errors = ErrorLog(logger)

    def wait(self, stop: threading.Event) -> None:
        """Return when `QUIET_LOOKS` found nothing to expect, or once `stop` is set."""
        quiet = 0
        while quiet < QUIET_LOOKS and not stop.wait(IDLE_LOOK_SECONDS):
            quiet = quiet + 1 if self._is_idle() else 0

    def work_is_left(self) -> bool:
        """Whether jobs remain that a trouble keeps this worker from; a database that is away cannot say that there are none."""
        if not self._scheduler.troubles:
            return False
        try:
            return work_left(self._database, self._stages)
        except DatabaseUnavailable:
            return True

    def _is_idle(self) -> bool:
        try:
            return not self._is_busy() and not work_left(self._database, self._stages, without=self._scheduler.broken_keys)
        except DatabaseUnavailable:
            return False
        except Exception as error:  # noqa: BLE001  # no reason to end
            self._errors.write("cannot tell whether work is left", error)
            return False
