"""Time limits: a batch that outlives its budget ends the process, even if the interpreter lock is held; its lease does the rest."""

from __future__ import annotations

import faulthandler
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: faulthandler ends a process with this code.
EXIT_CODE = 1


class Budget:
    """One timer for all threads of the process, set to whichever of them must end first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deadlines: dict[int, float] = {}
        self._next = 0

    @contextmanager
    def of(self, seconds: float) -> Iterator[None]:
        """End the process with a traceback of every thread if the block takes longer."""
        with self._lock:
            self._next += 1
            number = self._next
            self._deadlines[number] = time.monotonic() + seconds
            self._set()
        try:
            yield
        finally:
            with self._lock:
                del self._deadlines[number]
                self._set()

    def _set(self) -> None:
        faulthandler.cancel_dump_traceback_later()
        if self._deadlines:
            left = min(self._deadlines.values()) - time.monotonic()
            faulthandler.dump_traceback_later(max(0.001, left), exit=True)
