"""The device of one process: one thread at a time computes on it. How long a thread waited for it is known, for waiting is no service."""

from __future__ import annotations

import threading
import time


class DeviceLock:
    """A lock that counts, for each thread, the seconds that it has waited for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of_thread = threading.local()

    def acquire(self, *, timeout: float = -1) -> bool:
        """Take the device, within so many seconds if given; False if it is still another's."""
        began = time.monotonic()
        try:
            return self._lock.acquire(timeout=timeout)
        finally:
            self._of_thread.waited = self.waited_seconds() + time.monotonic() - began

    def release(self) -> None:
        """Leave the device to another thread."""
        self._lock.release()

    def waited_seconds(self) -> float:
        """How long the calling thread has waited for the device in its life."""
        return float(getattr(self._of_thread, "waited", 0.0))

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()
