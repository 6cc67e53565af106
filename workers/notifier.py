"""Waking workers: as many messages as a stage has threads for, never more; a message carries no fact, the work is in the database."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from workers.app import WAKE_UP, queue_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from celery import Celery

    from db.enums import Stage

logger = logging.getLogger(__name__)

#: Wake-ups kept in a queue for each living thread: one to wake it, one to find it awake.
WAKE_UPS_PER_THREAD = 2
#: Seconds between two looks at one queue's depth from one process: finished batches come faster than that.
QUIET_SECONDS = 0.25
#: Seconds for which a broker that could not be reached is not asked again: no thread waits for it after every batch.
AWAY_SECONDS = 5.0


class Notifier:
    """Tops queues up to about twice the threads alive, against the queue's real depth.

    A broker that cannot be reached is logged once and ignored: workers look for themselves every few seconds.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._woken_at: dict[Stage, float] = {}
        self._warned = False
        self._away_until = 0.0

    def wake(self, stages: Iterable[Stage], *, threads: Callable[[Stage], int]) -> int:
        """Bring each stage's queue up to its depth, by the number of living threads that serve it; returns how many wake-ups were sent."""
        due = [stage for stage in stages if self._is_due(stage)]
        if not due:
            return 0
        wanted = {stage: max(1, threads(stage)) * WAKE_UPS_PER_THREAD for stage in due}
        try:
            sent = self._wake(wanted)
        except Exception as error:  # noqa: BLE001  # kombu raises whatever its transport does; a wake-up is not worth a job
            if not self._warned:
                logger.warning("the broker cannot be reached, workers find their work by themselves: %s", error)
            self._warned = True
            self._away_until = time.monotonic() + AWAY_SECONDS
            return 0
        self._warned = False
        return sent

    def depths(self, stages: Iterable[Stage]) -> dict[Stage, int]:
        """How many wake-ups wait in each stage's queue; raises kombu's `OperationalError`."""
        with self._app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=2)
            channel = connection.default_channel
            return {stage: _depth(channel, stage) for stage in stages}

    def _is_due(self, stage: Stage) -> bool:
        with self._lock:
            moment = time.monotonic()
            if moment < self._away_until or moment - self._woken_at.get(stage, -QUIET_SECONDS) < QUIET_SECONDS:
                return False
            self._woken_at[stage] = moment
            return True

    def _wake(self, wanted: dict[Stage, int]) -> int:
        sent = 0
        with self._app.producer_pool.acquire(block=True, timeout=5) as producer:
            # Without it kombu tries for six seconds before it reports that nobody is there.
            producer.connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
            for stage, depth in wanted.items():
                for _ in range(depth - _depth(producer.channel, stage)):
                    self._app.send_task(WAKE_UP, queue=queue_name(stage), producer=producer, ignore_result=True, retry=False)
                    sent += 1
        return sent


def _depth(channel: object, stage: Stage) -> int:
    name = queue_name(stage)
    declared = channel.queue_declare(queue=name, durable=True, auto_delete=False)  # type: ignore[attr-defined]
    return int(declared.message_count)
