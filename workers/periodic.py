"""A thread that does something every so often until it is stopped; errors do not end it."""

from __future__ import annotations

import logging
import random
import threading
from typing import TYPE_CHECKING

from db.errors import DatabaseUnavailable
from workers.error_log import ErrorLog

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


class PeriodicThread:
    """Calls `beat` every `seconds`, plus or minus a fifth so that many workers do not beat together.

    A database that is away is expected, and says so itself; other errors are logged, the same one once a minute.
    """

    def __init__(self, name: str, seconds: float, beat: Callable[[], object]) -> None:
        self._name = name
        self._seconds = seconds
        self._beat = beat
        self._stopping = False
        #: Set to end a pause early.
        self._go_on = threading.Event()
        self._errors = ErrorLog(logger)
        # Jitter between processes must differ: nothing that is recorded depends on it.
        self._random = random.Random()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether it was started and has not ended yet."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin, with a first beat at once."""
        self._thread.start()

    def nudge(self) -> None:
        """Beat now, or once more if a beat is under way."""
        self._go_on.set()

    def begin_stop(self) -> None:
        """Beat no more; does not wait for a beat under way."""
        self._stopping = True
        self._go_on.set()

    def stop(self, timeout: float | None = None) -> None:
        """Beat no more; waits for a beat under way, at most `timeout` seconds."""
        self.begin_stop()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping:
            self._go_on.clear()
            if self._stopping:
                return
            try:
                self._beat()
            except DatabaseUnavailable as error:
                logger.debug("%s: %s", self._name, error)
            except Exception as error:  # noqa: BLE001  # logged, and tried again
                self._errors.write(f"{self._name} failed and will be tried again", error)
            self._go_on.wait(self._seconds * self._random.uniform(0.8, 1.2))
