"""One line when the database goes, one when it is back, however many threads meet the outage."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.errors import DatabaseUnavailable

logger = logging.getLogger(__name__)


def keep_quiet() -> None:
    """Log no outages in this process: a command that ends with the error says enough."""
    logger.setLevel(logging.ERROR)


class OutageLog:
    """What one process has said about its database."""

    def __init__(self, *, has_worked: bool = False) -> None:
        self._lock = threading.Lock()
        self._has_worked = has_worked
        self._since: float | None = None
        self._writes_fail = False

    def failed(self, error: DatabaseUnavailable, *, writing: bool) -> None:
        """A transaction failed; it is told if the database has worked before and nobody told it yet."""
        with self._lock:
            if not self._has_worked:
                return
            self._writes_fail = self._writes_fail or writing
            if self._since is not None:
                return
            self._since = time.monotonic()
        logger.warning("%s: waiting for it", error)

    def worked(self, *, writing: bool) -> None:
        """A transaction succeeded; the end of an outage is told. A full disk or a held lock does not end with a query that succeeds."""
        if self._since is None:
            self._has_worked = True
            return
        with self._lock:
            if self._since is None or (self._writes_fail and not writing):
                return
            seconds = time.monotonic() - self._since
            self._since, self._writes_fail = None, False
        logger.warning("the database is back after %.0f s", seconds)
