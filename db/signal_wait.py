"""Waiting in the main thread for what a signal's handler puts into a queue."""

from __future__ import annotations

from queue import Empty
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from queue import SimpleQueue

T = TypeVar("T")

#: Seconds of one wait. Python runs a handler only when the main thread next comes by: a signal that arrives in the moment before the wait,
#: or that the system gives to another thread, does not end it.
WAIT_SECONDS = 1.0


def wait_for_item(queue: SimpleQueue[T]) -> T:
    """The next item of the queue, at most `WAIT_SECONDS` after a signal whose handler puts it."""
    while True:
        try:
            return queue.get(timeout=WAIT_SECONDS)
        except Empty:
            continue
