"""Time limits: a batch that outlives its budget ends the process, even if the interpreter lock is held; its lease does the rest."""

from __future__ import annotations

import faulthandler
import math
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: faulthandler ends a process with this code.
EXIT_CODE = 1
#: Seconds between two looks at the timer. Setting it costs a thread, so it is not set anew for every batch.
LOOK_SECONDS = 1.0


class TimeLimit:
    """One timer for all threads of the process, set to whichever of them must end first.

    A deadline that has been met leaves the timer where it was; a thread of its own moves it on every second, long before it runs out.
    """

    def __init__(self, *, look_seconds: float = LOOK_SECONDS, on_set: Callable[[float], None] = lambda _: None) -> None:
        """`on_set` is told the moment of `time.monotonic()` at which the process ends, infinity for never, whenever that changes."""
        self._look_seconds = look_seconds
        self._on_set = on_set
        self._lock = threading.Lock()
        self._deadlines: dict[int, float] = {}
        self._next = 0
        self._set_to = math.inf
        self._keeper: threading.Thread | None = None

    @contextmanager
    def of(self, seconds: float) -> Iterator[None]:
        """End the process with a traceback of every thread if the block takes longer."""
        deadline = time.monotonic() + seconds
        with self._lock:
            self._next += 1
            number = self._next
            self._deadlines[number] = deadline
            if deadline < self._set_to:
                self._set(deadline)
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="budget", daemon=True)
                self._keeper.start()
        try:
            yield
        finally:
            with self._lock:
                del self._deadlines[number]
                if self._set_to - time.monotonic() < 2 * self._look_seconds:
                    self._set(min(self._deadlines.values(), default=math.inf))

    def _keep(self) -> None:
        while True:
            time.sleep(self._look_seconds)
            with self._lock:
                first = min(self._deadlines.values(), default=math.inf)
                if first != self._set_to:
                    self._set(first)

    def _set(self, moment: float) -> None:
        faulthandler.cancel_dump_traceback_later()
        self._set_to = moment
        self._on_set(moment)
        if moment < math.inf:
            faulthandler.dump_traceback_later(max(0.001, moment - time.monotonic()), exit=True)
