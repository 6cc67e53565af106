"""Ending in good order within bounded time, whatever is away."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from db.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workers.periodic import PeriodicThread

logger = logging.getLogger(__name__)

#: Seconds between two looks at threads that should end.
LOOK_SECONDS = 0.02


def attempt(what: str, step: Callable[[], object], *, seconds: float | None) -> bool:
    """Do something that may fail, and that may take no longer than so many seconds (None: as long as it takes); whether it was done."""
    done = threading.Event()

    def run() -> None:
        try:
            step()
        except DatabaseUnavailable as error:
            logger.debug("%s: %s", what, error)
        except Exception:
            logger.exception("%s failed", what)
        else:
            done.set()

    if seconds is None:
        run()
    else:
        thread = threading.Thread(target=run, name=what, daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            logger.warning("%s took longer than %.0f s and is left undone", what, seconds)
    return done.is_set()


def wait_for_all(
    threads: Sequence[PeriodicThread],
    *,
    seconds: float,
    idle_seconds: float | None = None,
    is_idle: Callable[[], bool] = lambda: False,
) -> bool:
    """Wait until all threads have ended, at most `seconds`, and no more than `idle_seconds` while none of them is at anything of value.

    Returns whether they have ended.
    """
    deadline = time.monotonic() + seconds
    idle_since: float | None = None
    while any(thread.is_alive for thread in threads):
        moment = time.monotonic()
        idle_since = (idle_since or moment) if is_idle() else None
        if moment >= deadline or (idle_seconds is not None and idle_since is not None and moment - idle_since >= idle_seconds):
            return False
        time.sleep(LOOK_SECONDS)
    return True
