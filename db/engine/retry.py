"""Transactions that wait for a database that is away for a while."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from db.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds before the second try; each further pause is twice as long, up to the longest.
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0


def retry_while_unavailable(transaction: Callable[[], T], *, patience_seconds: float) -> T:
    """Run a transaction, and again while the database is away: minutes of device time are not lost to a restart of PostgreSQL.

    Raises:
        DatabaseUnavailable: it was still away after `patience_seconds`.
    """
    deadline = time.monotonic() + patience_seconds
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return transaction()
        except DatabaseUnavailable as error:
            if time.monotonic() > deadline:
                raise
            logger.warning("%s", error)
            time.sleep(pause)
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
