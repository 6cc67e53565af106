"""Transactions that are run again: because PostgreSQL aborted them for crossing another, or because the database was away for a while."""

from __future__ import annotations

import functools
import logging
import time
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.settings import Settings

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

#: deadlock_detected and serialization_failure.
_CROSSED = {"40P01", "40001"}
TRIES = 4

#: Leases for which a result that has been paid for waits for its database.
PATIENCE_LEASES = 20
LONGEST_PAUSE = 5.0


def retried(function: Callable[P, T]) -> Callable[P, T]:
    """Run a function that holds one whole transaction again when the database aborted it for crossing another."""

    @functools.wraps(function)
    def again(*args: P.args, **kwargs: P.kwargs) -> T:
        for tried in range(1, TRIES):
            try:
                return function(*args, **kwargs)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _CROSSED:
                    raise
                time.sleep(0.02 * tried)
        return function(*args, **kwargs)

    return again


def persistently(transaction: Callable[[], T], settings: Settings) -> T:
    """Run a transaction, and again while the database is away: minutes of device time are not thrown away for a restart of PostgreSQL.

    Raises the database's error after `PATIENCE_LEASES` leases.
    """
    deadline = time.monotonic() + PATIENCE_LEASES * settings.lease_seconds
    pause = 0.2
    while True:
        try:
            return transaction()
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > deadline:
                raise
            logger.warning("the database does not take a result, trying again: %s", " ".join(str(error.orig).split()))
            time.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)
