"""Transactions that PostgreSQL may abort because two of them met crosswise: they are simply run again."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

#: deadlock_detected and serialization_failure.
_CROSSED = {"40P01", "40001"}
TRIES = 4


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
