"""Waking workers: as many messages as a stage has threads for, never more; a message carries no fact, the work is in the database."""

from __future__ import annotations

import logging
import math
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from redis.exceptions import LockError

from workers.broker import without_password
from workers.wake_ups.app import WAKE_UP, queue_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from celery import Celery
    from kombu import Producer

    from db.enums import Stage

logger = logging.getLogger(__name__)

#: Wake-ups kept in a queue for each living thread: one to wake it, one to find it awake.
WAKE_UPS_PER_THREAD = 2
#: Seconds between two looks at one queue's depth from one process: finished batches come faster than that.
QUIET_SECONDS = 0.25
#: Seconds for which a broker that could not be reached is not asked again.
AWAY_SECONDS = 5.0
#: Seconds after which Redis forgets the lock of a process that died between its look at a queue and its wake-ups.
LOCK_SECONDS = 10.0
#: Seconds after which whoever holds the lock sends no more: it may have been suspended, and another may be about to look.
SENDING_SECONDS = LOCK_SECONDS / 2


class Notifier:
    """Tops queues up to twice the threads alive, against the queue's real depth.

    On Redis and Valkey a short lock in the broker itself keeps two processes from seeing the same gap and filling it twice: whoever does
    not get it leaves the queue to the one that has it. RabbitMQ has no such lock: there a queue may hold its bound once for each process
    that looks at the same moment, which costs a look at the database each.

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
                shown = without_password(error, self._app.conf.broker_url)
                logger.warning("the broker takes no wake-ups, workers find their work by themselves: %s", shown)
            self._warned = True
            self._away_until = time.monotonic() + AWAY_SECONDS
            return 0
        self._warned = False
        return sent

    def depths(self, stages: Iterable[Stage]) -> dict[Stage, int]:
        """How many wake-ups wait in each stage's queue; raises whatever kombu's transport does."""
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
                with _alone(producer.channel, stage) as may_send_until:
                    sent += self._fill(producer, stage, depth, may_send_until)
        return sent

    def _fill(self, producer: Producer, stage: Stage, depth: int, may_send_until: float) -> int:
        if time.monotonic() > may_send_until:
            return 0
        missing = depth - _depth(producer.channel, stage)
        for sent in range(missing):
            if time.monotonic() > may_send_until:
                return sent
            self._app.send_task(WAKE_UP, queue=queue_name(stage), producer=producer, ignore_result=True, retry=False)
        return max(0, missing)


@contextmanager
def _alone(channel: Any, stage: Stage) -> Iterator[float]:
    """Be the only one who fills the stage's queue; gives the moment until which it may be filled, long past if somebody else does it."""
    if not hasattr(channel, "conn_or_acquire"):  # no Redis
        yield math.inf
        return
    with channel.conn_or_acquire() as client:
        lock = client.lock(f"{queue_name(stage)}.filling", timeout=LOCK_SECONDS, blocking=False)
        may_send_until = time.monotonic() + SENDING_SECONDS
        if not lock.acquire():
            yield -math.inf
            return
        try:
            yield may_send_until
        finally:
            try:
                lock.release()
            except LockError:  # it took too long
                logger.debug("the lock of %s was lost", queue_name(stage))


def _depth(channel: Any, stage: Stage) -> int:
    name = queue_name(stage)
    declared = channel.queue_declare(queue=name, durable=True, auto_delete=False)
    return int(declared.message_count)
