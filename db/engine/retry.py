"""Transactions that wait for a database that is away for a while. What is to be said about it, `Database` has said once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from db.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

#: Seconds before the second try; each further pause is twice as long, up to the longest.
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
#: Seconds that a process which was asked to stop still waits: a hiccup is outlived, an outage is not.
STOPPING_PATIENCE_SECONDS = 5.0
#: Seconds between two looks whether to stop.
LOOK_SECONDS = 0.2


def retry_while_unavailable(transaction: Callable[[], T], *, patience_seconds: float, stopping: Callable[[], bool] | None = None) -> T:
    """Run a transaction, and again while the database is away: minutes of device time are not lost to a restart of PostgreSQL.

    Args:
        transaction: what to run; it must be harmless to run again.
        patience_seconds: how long to try.
        stopping: whether the process was asked to stop; from then on `STOPPING_PATIENCE_SECONDS` are left.

    Raises:
        DatabaseUnavailable: it was still away when the patience ended.
    """
    deadline = time.monotonic() + patience_seconds
    pause = FIRST_PAUSE_SECONDS
    asked = False
    while True:
        try:
            return transaction()
        except DatabaseUnavailable:
            if stopping is not None and stopping() and not asked:
                asked, pause = True, FIRST_PAUSE_SECONDS
                deadline = min(deadline, time.monotonic() + STOPPING_PATIENCE_SECONDS)
            if time.monotonic() > deadline:
                raise
            sleep_until_stopping(pause, None if asked else stopping)
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)


def sleep_until_stopping(seconds: float, stopping: Callable[[], bool] | None) -> None:
    """Sleep, at most until the process is asked to stop."""
    if stopping is None:
        time.sleep(seconds)
        return
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not stopping():
        time.sleep(min(LOOK_SECONDS, left))
