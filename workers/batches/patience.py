"""Waiting with paid work in hand: minutes of device time are not lost to a restart of PostgreSQL or of the image store."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds before the second try; each further pause is twice as long, up to the longest.
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
#: Seconds for which a worker that was asked to stop still waits, trying this often.
STOPPING_SECONDS = 5.0
STOPPING_PAUSE_SECONDS = 0.5
#: Seconds between two looks during a pause.
LOOK_SECONDS = 0.1


class Patience:
    """How long one batch waits for what is away, over all of its waits."""

    def __init__(
        self,
        seconds: float,
        *,
        is_stopping: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """It lasts `seconds` from the first wait on, and `STOPPING_SECONDS` from when the worker is seen to stop."""
        self._seconds = seconds
        self._is_stopping = is_stopping
        self._clock = clock
        self._sleep = sleep
        self._deadline: float | None = None
        self._pause = FIRST_PAUSE_SECONDS
        self._stops = False

    def wait(self, *, until: Callable[[], bool] = lambda: False) -> bool:
        """Pause before the next try, no longer than `until` it holds; False if the patience has run out."""
        moment = self._clock()
        if self._deadline is None:
            self._deadline = moment + self._seconds
        wake = moment + self._pause
        while (moment := self._clock()) < min(wake, self._end(moment)) and not until():
            if self._stops:
                wake = min(wake, moment + STOPPING_PAUSE_SECONDS)
            self._sleep(LOOK_SECONDS)
        self._pause = min(LONGEST_PAUSE_SECONDS, self._pause * 2)
        return moment < self._end(moment)

    def _end(self, moment: float) -> float:
        assert self._deadline is not None
        if not self._stops and self._is_stopping():
            self._stops = True
            self._deadline = min(self._deadline, moment + STOPPING_SECONDS)
        return self._deadline
