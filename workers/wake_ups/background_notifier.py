"""Waking workers from a thread of its own: a broker that hangs holds up no batch."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from workers.wake_ups.notifier import Notifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from celery import Celery

    from db.enums import Stage

logger = logging.getLogger(__name__)


class BackgroundNotifier(Notifier):
    """A notifier whose `wake` returns at once; requests that come while one is under way are done together after it."""

    def __init__(self, app: Celery) -> None:
        super().__init__(app)
        self._changed = threading.Condition()
        self._pending: dict[Stage, Callable[[Stage], int]] = {}
        self._thread: threading.Thread | None = None

    def wake(self, stages: Iterable[Stage], *, threads: Callable[[Stage], int]) -> int:
        """Have each stage's queue filled soon; returns 0, because nothing was sent yet. `threads` is called by another thread."""
        with self._changed:
            self._pending |= dict.fromkeys(stages, threads)
            if self._thread is None:
                # A daemon: at the end of the process what is pending is worth nothing.
                self._thread = threading.Thread(target=self._work, name="notifier", daemon=True)
                self._thread.start()
            self._changed.notify()
        return 0

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending)
                pending, self._pending = self._pending, {}
            for stage, threads in pending.items():
                try:
                    super().wake([stage], threads=threads)
                except Exception as error:  # noqa: BLE001  # the database is away, and others report that
                    logger.debug("nobody was woken: %s", error)
