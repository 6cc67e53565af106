"""A thread that does something every so often until it is stopped; errors are logged and do not end it."""

from __future__ import annotations

import logging
import random
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


class PeriodicThread:
    """Calls `beat` every `seconds`, plus or minus a fifth so that many workers do not beat together."""

    def __init__(self, name: str, seconds: float, beat: Callable[[], None]) -> None:
        self._seconds = seconds
        self._beat = beat
        self._stopped = threading.Event()
        # Jitter between processes must differ: nothing that is recorded depends on it.
        self._random = random.Random()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, with a first beat at once."""
        self._thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """Beat no more; waits for a beat under way."""
        self._stopped.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            try:
                self._beat()
            except Exception:
                logger.exception("%s failed and will be tried again", self._thread.name)
            if self._stopped.wait(self._seconds * self._random.uniform(0.8, 1.2)):
                return
