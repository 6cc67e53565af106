"""Suspects run alone: while one is under way its worker does nothing else, so that a crash, in whatever part of the work, has one cause."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Seconds between two looks whether the worker stops.
LOOK_SECONDS = 0.5


class Solitude:
    """Batches of one worker process: any number side by side, or one alone. Any thread may call it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        #: Batches that run alone, or wait for it.
        self._alone = 0

    def wait_for_company(self, stopping: Callable[[], bool]) -> bool:
        """Wait until no batch runs alone or waits for it: before a claim, so that nothing is held meanwhile. False if the worker stops."""
        with self._changed:
            while self._alone:
                if stopping():
                    return False
                self._changed.wait(LOOK_SECONDS)
        return not stopping()

    @contextmanager
    def admitted(self, *, alone: bool, stopping: Callable[[], bool]) -> Iterator[bool]:
        """Let a batch begin as soon as it may; gives False if the worker stops meanwhile."""
        with self._changed:
            self._alone += alone
            may_begin = self._wait(alone, stopping)
            self._under_way += may_begin
        try:
            yield may_begin
        finally:
            with self._changed:
                self._alone -= alone
                self._under_way -= may_begin
                self._changed.notify_all()

    def _wait(self, alone: bool, stopping: Callable[[], bool]) -> bool:
        # One that waits to be alone does not wait for others that do: the first to find nothing under way begins.
        while self._under_way if alone else self._alone:
            if stopping():
                return False
            self._changed.wait(LOOK_SECONDS)
        return True
