"""Calls that may never return, and that nobody waits for longer than a limit."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def begin_call(function: Callable[[], T]) -> Future[T]:
    """Call the function in a thread of its own, which does not outlive the process; its future has what it returns or raises."""
    called: Future[T] = Future()

    def run() -> None:
        try:
            called.set_result(function())
        except BaseException as error:  # noqa: BLE001  # raised again in the thread that asks
            called.set_exception(error)

    threading.Thread(target=run, name="patient-call", daemon=True).start()
    return called


def call_within(seconds: float, function: Callable[[], T]) -> T:
    """What the function returns or raises; raises `TimeoutError` when that takes longer, and leaves it alone then."""
    try:
        return begin_call(function).result(timeout=seconds)
    except TimeoutError:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
