"""How many threads may work at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds between two looks whether a waiting thread is still to wait.
LOOK_SECONDS = 1.0


class Slots:
    """A number of places for working threads."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken = 0
        self._freed = threading.Condition()

    def any_taken(self) -> bool:
        """Whether a thread is at work."""
        with self._freed:
            return self._taken > 0

    def any_free(self) -> bool:
        """Whether a thread more could work."""
        with self._freed:
            return self._taken < self._count

    def take(self) -> bool:
        """Take a free place; False if there is none."""
        with self._freed:
            if self._taken >= self._count:
                return False
            self._taken += 1
            return True

    def wait_for_one(self, stopping: Callable[[], bool]) -> bool:
        """Take a place as soon as one is free; False if the worker stops meanwhile."""
        while not self.take():
            if stopping():
                return False
            with self._freed:
                self._freed.wait_for(lambda: self._taken < self._count, timeout=LOOK_SECONDS)
        return True

    def release(self) -> None:
        """Leave a place to another thread."""
        with self._freed:
            self._taken -= 1
            self._freed.notify()
