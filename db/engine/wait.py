"""Waiting at the start for a database that is not there yet."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from db.engine.retry import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, sleep_until_stopping
from db.errors import DatabaseNotTrusted, DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

T = TypeVar("T")


def wait_until_available(open_database: Callable[[], T], *, stopping: Callable[[], bool] = lambda: False) -> T:
    """Call until the database answers, with one line in the log when the wait begins and one when it is over.

    Args:
        open_database: opens and checks the database, and returns what the caller needs, such as `lambda: runtime.database`.
        stopping: whether to give up, asked several times a second.

    Raises:
        DatabaseUnavailable: it was still away when `stopping()` became true.
        DatabaseNotTrusted: it answers at once, with a certificate that is not accepted.
        NotInitialised: it answers, but is of no use: no waiting changes that.
        BadConfiguration: likewise.
    """
    since: float | None = None
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            opened = open_database()
        except DatabaseUnavailable as error:
            if since is None and isinstance(error, DatabaseNotTrusted):
                raise
            if since is None:
                since = time.monotonic()
                logger.warning("waiting for the database: %s", error)
            sleep_until_stopping(pause, stopping)
            if stopping():
                raise
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
        else:
            if since is not None:
                logger.warning("the database is back after %.0f s", time.monotonic() - since)
            return opened
