"""Giving back the jobs of a worker process that is known to be dead, before its leases run out."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from db.jobs.sweep import return_jobs_of

if TYPE_CHECKING:
    from db.engine import Database
    from db.enums import WorkerEnd

logger = logging.getLogger(__name__)


class JobReturn:
    """Returns jobs in threads of its own: a database that is away holds up no restart, and then the leases run out by themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads: list[threading.Thread] = []

    def begin(self, worker_id: str, *, end: WorkerEnd) -> None:
        """Return what the dead worker held; `end` says whether its jobs are suspects."""
        thread = threading.Thread(target=self._return, args=(worker_id, end), name="job-return", daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()

    def wait(self, seconds: float) -> None:
        """Wait for what is under way, so long at most."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _return(self, worker_id: str, end: WorkerEnd) -> None:
        try:
            swept = return_jobs_of(self._database, worker_id, end=end)
        except Exception as error:  # noqa: BLE001  # the leases run out anyway
            logger.debug("the jobs of %s could not be returned: %s", worker_id, error)
        else:
            if swept.returned or swept.poisoned:
                logger.info("returned %d jobs of %s, gave up %d as poison", swept.returned, worker_id, swept.poisoned)
        finally:
            self._database.dispose()  # a supervisor holds no connection for days
