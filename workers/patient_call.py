"""Calls that may never return, and that nobody waits for longer than a limit."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def call_within(seconds: float, function: Callable[[], T]) -> T:
    """What the function returns or raises; raises `TimeoutError` when that takes longer.

    The function runs in a thread of its own, which is left alone then and does not outlive the process.
    """
    done: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            done.put((function(), None))
        except BaseException as error:  # noqa: BLE001  # raised again in the thread that asked
            done.put((None, error))

    threading.Thread(target=run, name="patient-call", daemon=True).start()
    try:
        result, error = done.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # None only where the function returns it
