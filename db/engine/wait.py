"""Waiting for a database that is away."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from db.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds between two tries.
PAUSE_SECONDS = 1.0


def wait_until_available(open: Callable[[], T], *, stopping: Callable[[], bool] = lambda: False) -> T:  # noqa: A002
    """What `open` returns, as soon as the database answers; one line in the log tells that it is waited for.

    Raises `DatabaseUnavailable` once `stopping` is true, and at once whatever else `open` raises.
    """
    told = False
    while True:
        try:
            return open()
        except DatabaseUnavailable as error:
            if stopping():
                raise
            if not told:
                logger.warning("waiting for the database: %s", error)
            told = True
            time.sleep(PAUSE_SECONDS)
