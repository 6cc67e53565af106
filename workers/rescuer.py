"""Taking back the jobs of silent workers, but not while the database itself was away."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from db.enums import Stage
from db.jobs.backoff import end_pauses
from db.jobs.claim import ready_batches
from db.jobs.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from db.engine import Database

logger = logging.getLogger(__name__)


class Rescuer:
    """Sweeps for expired leases and wakes workers for everything that is ready, whoever made it so."""

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float,
        wake: Callable[[Collection[Stage]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._lease_seconds = lease_seconds
        self._wake = wake
        self._clock = clock
        self._not_before = clock()

    def hold_back(self) -> None:
        """The database could not be reached: other workers could not renew either, so give them one lease."""
        self._not_before = self._clock() + self._lease_seconds

    def sweep(self) -> None:
        """Take back what silent workers hold, unless held back; wake workers for all ready stages."""
        end_pauses(self._database)
        if self._clock() < self._not_before:
            return
        try:
            swept = sweep(self._database, lease_seconds=self._lease_seconds)
        except Exception:
            self.hold_back()
            raise
        if swept.returned or swept.poisoned:
            logger.warning("took back %d jobs of silent workers, gave up %d as poison", swept.returned, swept.poisoned)
        self._wake({candidate.stage for candidate in ready_batches(self._database, list(Stage))})
