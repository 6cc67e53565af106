from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING

from db.signal_wait import wait_for_item

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def _putting(queue: SimpleQueue[int], number: int) -> Iterator[None]:
    before = signal.signal(number, lambda number, _frame: queue.put(number))
    try:
        yield
    finally:
        signal.signal(number, before)


def test_a_signal_that_interrupts_no_wait_is_heard_all_the_same() -> None:
    # The system gave it to another thread; the same happens when it comes in the moment before the main thread falls asleep.
    queue: SimpleQueue[int] = SimpleQueue()
    with _putting(queue, signal.SIGUSR1):
        elsewhere = threading.Timer(0.2, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGUSR1))
        elsewhere.start()
        assert wait_for_item(queue) == signal.SIGUSR1
        elsewhere.join()


def test_what_another_thread_puts_is_taken() -> None:
    queue: SimpleQueue[str] = SimpleQueue()
    threading.Timer(0.05, lambda: queue.put("idle")).start()
    assert wait_for_item(queue) == "idle"
