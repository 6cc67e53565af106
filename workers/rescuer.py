"""Taking back the jobs of silent workers, but not while the database itself was away, or its clock was moved."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from db.enums import Stage
from db.jobs.backoff import end_pauses
from db.jobs.claim import ready_batches
from db.jobs.sweep import sweep
from db.monitoring.worker_registry import retire_silent_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from db.engine import Database

logger = logging.getLogger(__name__)

#: Parts of a lease by which the database's clock may run apart from this host's between two sweeps.
STEP = 0.5


class Rescuer:
    """Sweeps for expired leases and wakes workers for everything that is ready, whoever made it so."""

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float,
        alive_within_seconds: float,
        wake: Callable[[Collection[Stage]], None],
        is_in_time: Callable[[], bool] = lambda: True,
        is_my_turn: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_in_time`: whether this worker's own renewals reach the database; if not, those of others may not either.

        `alive_within_seconds`: for how long after its last heartbeat a worker counts as alive. `is_my_turn`: asked before each sweep; of a
        large fleet some are enough.
        """
        self._database = database
        self._lease_seconds = lease_seconds
        self._alive_within_seconds = alive_within_seconds
        self._wake = wake
        self._is_in_time = is_in_time
        self._is_my_turn = is_my_turn
        self._clock = clock
        self._not_before = clock()
        #: The database's clock and this host's monotonic one, read together.
        self._clocks: tuple[float, float] | None = None

    def hold_back(self) -> None:
        """Renewals failed, or may have come late: other workers could not renew either, so give them one lease."""
        self._not_before = self._clock() + self._lease_seconds

    def sweep(self) -> None:
        """Take back what silent workers hold, unless held back or others do it; wake workers for all ready stages."""
        if not self._is_my_turn():
            return
        end_pauses(self._database)
        if self._is_held_back():
            return
        try:
            swept = sweep(self._database, lease_seconds=self._lease_seconds, may_sweep=self._may_sweep)
        except Exception:
            self.hold_back()
            raise
        if not self._is_held_back():
            retire_silent_workers(self._database, within_seconds=self._alive_within_seconds)
        if swept.returned or swept.poisoned:
            logger.warning("took back %d jobs of silent workers, gave up %d as poison", swept.returned, swept.poisoned)
        self._wake({candidate.stage for candidate in ready_batches(self._database, list(Stage))})

    def _is_held_back(self) -> bool:
        return self._clock() < self._not_before or not self._is_in_time()

    def _may_sweep(self, database_now: float) -> bool:
        """Asked once the sweep reads, and again once it has its lock, for which it may have waited as long as all others did."""
        moment = self._clock()
        if self._clocks is not None:
            step = (database_now - self._clocks[0]) - (moment - self._clocks[1])
            if abs(step) > STEP * self._lease_seconds:
                logger.warning("the clock of the database moved by %+.0f s: leases are judged again once they had time to be renewed", step)
                self.hold_back()
        self._clocks = (database_now, moment)
        return not self._is_held_back()
