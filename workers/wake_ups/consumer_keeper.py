"""Keeping a consumer: another one is made when it ends or falls deaf, and the worker's own looks find the work meanwhile."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from workers.broker import without_password
from workers.wake_ups.consumer import Consumer, no_reconnecting
from workers.wake_ups.queue_repair import repair_queues

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from celery import Celery

    from db.enums import Stage

logger = logging.getLogger(__name__)

#: Seconds before a consumer that ended is replaced; the next pauses are longer, up to the last.
PAUSES = (5.0, 10.0, 20.0, 30.0)
#: Seconds for which a consumer must listen to count as back: one that ends sooner goes on with the longer pauses.
SETTLED_SECONDS = 20.0
#: Seconds between two looks whether wake-ups wait that the consumer should have taken.
DEAF_LOOK_SECONDS = 10.0
#: Seconds for which wake-ups must have waited beside free slots: a living consumer takes one within milliseconds.
DEAF_SECONDS = 30.0
#: Seconds between two looks at the consumer.
LOOK_SECONDS = 0.5


class ConsumerKeeper:
    """Has one consumer at a time listen for wake-ups."""

    def __init__(
        self,
        make_consumer: Callable[[], Consumer],
        *,
        app: Celery,
        stages: Sequence[Stage],
        wake_ups_wait: Callable[[], bool],
        can_work: Callable[[], bool],
        on_shutdown: Callable[[], None],
    ) -> None:
        """Nothing is started yet.

        Args:
            make_consumer: makes the next consumer.
            app: the application whose broker it is.
            stages: whose queues are repaired.
            wake_ups_wait: whether any of these queues holds a wake-up; may raise what kombu does.
            can_work: whether a thread more could work, so that a wake-up should be taken.
            on_shutdown: called once when Celery's remote command `shutdown` has ended a consumer.
        """
        no_reconnecting(app)
        self._make_consumer = make_consumer
        self._app = app
        self._stages = stages
        self._wake_ups_wait = wake_ups_wait
        self._can_work = can_work
        self._on_shutdown = on_shutdown
        self._stopping = threading.Event()
        self._consumer: Consumer | None = None
        self._thread = threading.Thread(target=self._keep, name="consumer-keeper", daemon=True)
        #: When the last sign came that the consumer hears: it began, took a wake-up, or there was none to take.
        self._heard_at = 0.0
        #: Whether it was told that there is no consumer.
        self._told = False

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def note_wake_up(self) -> None:
        """A wake-up was taken."""
        self._heard_at = time.monotonic()

    def leave(self) -> None:
        """Ask for the end; returns at once."""
        self._stopping.set()
        if (consumer := self._consumer) is not None:
            consumer.leave()

    def join(self, timeout: float) -> None:
        """Wait for a consumer that was asked to end; one that a broker holds up is left alone after `timeout` seconds."""
        if (consumer := self._consumer) is not None:
            consumer.join(timeout)

    def _keep(self) -> None:
        ended_early = 0
        while not self._stopping.is_set():
            consumer = self._consumer = self._make_consumer()
            consumer.start()
            if self._stopping.is_set():
                consumer.leave()
            settled = self._watch(consumer)
            if self._stopping.is_set():
                return
            if consumer.shutdown_asked:
                self._on_shutdown()
                return
            ended_early = 0 if settled else ended_early + 1
            self._tell(consumer)
            self._stopping.wait(PAUSES[min(max(0, ended_early - 1), len(PAUSES) - 1)])

    def _watch(self, consumer: Consumer) -> bool:
        """Return when it has ended or is deaf; whether it had listened for a while."""
        settles_at = looks_at = 0.0
        settled = False
        while not consumer.ended.wait(LOOK_SECONDS):
            moment = time.monotonic()
            if not consumer.ready.is_set():
                continue
            if not settles_at:
                self.note_wake_up()
                settles_at, looks_at = moment + SETTLED_SECONDS, moment + DEAF_LOOK_SECONDS
            if not settled and moment > settles_at:
                settled = True
                self._tell_back()
            if moment > looks_at:
                looks_at = moment + DEAF_LOOK_SECONDS
                if self._is_deaf():
                    consumer.leave()
                    break
        return settled

    def _is_deaf(self) -> bool:
        """Whether wake-ups have waited for long although a thread could work: by what it does, because a deaf one answers pings."""
        try:
            if not self._can_work() or not self._wake_ups_wait():
                self.note_wake_up()
        except Exception as error:  # noqa: BLE001  # kombu raises whatever its transport does; nobody can tell then
            logger.debug("cannot tell whether wake-ups wait: %s", error)
            self.note_wake_up()
        return time.monotonic() - self._heard_at > DEAF_SECONDS

    def _tell(self, consumer: Consumer) -> None:
        """Log once why there is no consumer, and repair what may have ended it."""
        cause = "it took no wake-ups although some waited"
        if consumer.failure is not None:
            cause = f"{type(consumer.failure).__name__}: {without_password(consumer.failure, self._app.conf.broker_url)}"
        if not self._told:
            logger.warning("no wake-ups are heard, work goes on by looking for it every few seconds; it will be tried again (%s)", cause)
        self._told = True
        try:
            removed = repair_queues(self._app, self._stages)
        except Exception as error:  # noqa: BLE001  # a broker that is away, or whose user may do little
            logger.debug("the queues cannot be looked at: %s", error)
            return
        if removed:
            logger.warning("removed from the broker what no worker can read: %s", ", ".join(map(repr, removed)))

    def _tell_back(self) -> None:
        if self._told:
            logger.warning("wake-ups are heard again")
        self._told = False
