"""Errors that nobody foresaw, in the log with their traceback, but not again and again: what fails every second must not fill a disk."""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sys
    from collections.abc import Callable

logger = logging.getLogger(__name__)

#: Seconds for which the same error is not logged again.
QUIET_SECONDS = 60.0
#: Errors that are remembered at most; beyond that none is logged until the oldest is forgotten.
MOST = 100


def note_ignored(ignored: sys.UnraisableHookArgs) -> None:
    """One line for an error that Python ignores, such as a driver's that tidies up a lost connection; a `sys.unraisablehook`."""
    told = " ".join(str(ignored.exc_value).split())
    logger.warning("ignored at the end of %s: %s: %s", type(ignored.object).__name__, ignored.exc_type.__name__, told)


class ErrorLog:
    """Logs each error at most once in `QUIET_SECONDS`; errors are the same if type and first line are, numbers apart."""

    def __init__(self, logger: logging.Logger, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._clock = clock
        self._lock = threading.Lock()
        self._logged: dict[str, float] = {}

    def write(self, message: str, error: BaseException) -> None:
        """Log the message as an error with the traceback, or not at all."""
        if self._is_new(f"{message.split(':', maxsplit=1)[0]} {type(error).__name__} {str(error).partition(chr(10))[0]}"):
            self._logger.error("%s", message, exc_info=error)

    def _is_new(self, text: str) -> bool:
        name = re.sub(r"\d+", "#", text)
        moment = self._clock()
        with self._lock:
            self._logged = {one: logged_at for one, logged_at in self._logged.items() if moment - logged_at < QUIET_SECONDS}
            if name in self._logged or len(self._logged) >= MOST:
                return False
            self._logged[name] = moment
            return True
