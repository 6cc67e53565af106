"""Celery's consumer as one thread among others: wake-ups, remote control and Flower's heartbeats, but not the life of the process."""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from celery.app.trace import setup_worker_optimizations
from celery.concurrency.thread import TaskPool
from celery.exceptions import WorkerShutdown, WorkerTerminate
from celery.worker import WorkController, state
from kombu.asynchronous import set_event_loop

from workers.wake_ups.app import queue_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celery import Celery

    from db.enums import Stage


#: Loggers of Celery and kombu that complain when a connection is lost, and how their complaints begin. What they log with an error of the
#: broker is a complaint too.
COMPLAINING = (
    "celery.bootsteps",
    "celery.worker.consumer.consumer",
    "celery.worker.loops",
    "celery.worker.pidbox",
    "celery.worker.request",
    "kombu.transport.redis",
)
COMPLAINTS = ("Retrying to ", "Couldn't ack", "Error cleaning up after event loop", "maybe_refresh_binding_expiry")


class WakeUpPool(TaskPool):  # type: ignore[misc]  # Celery has no types
    """Threads that answer wake-ups. One that is at work goes on when its consumer ends: waiting for it may take days."""

    def on_stop(self) -> None:
        """Start nothing more."""
        self.executor.shutdown(wait=False, cancel_futures=True)


class Controller(WorkController):  # type: ignore[misc]  # Celery has no types
    """Celery's worker without what its command line adds: no signal handlers, no banner, no logging of its own."""

    def on_before_init(self, **_: Any) -> None:
        """Make the application the default of all threads, as Celery's command does."""
        setup_worker_optimizations(self.app, self.hostname)


class Consumer:
    """One life of Celery's consumer; make another one when it has ended."""

    def __init__(self, app: Celery, *, worker_id: str, stages: Sequence[Stage], threads: int) -> None:
        """Nothing is connected yet.

        Args:
            app: the application. It must not try to reconnect: whoever made this consumer does, with a new one.
            worker_id: Celery's node name.
            stages: whose queues it listens to.
            threads: wake-ups that are answered at once.
        """
        self._app = app
        #: Set once it listens.
        self.ready = threading.Event()
        #: Set once it listens no more, for whatever reason.
        self.ended = threading.Event()
        #: Why it ended, if not because it was asked to.
        self.failure: BaseException | None = None
        #: Whether Celery's remote command `shutdown` asked the worker to end.
        self.shutdown_asked = False
        self._arguments: dict[str, Any] = {
            "hostname": worker_id,
            "queues": [queue_name(stage) for stage in stages],
            "concurrency": threads,
            "pool": WakeUpPool,
            "task_events": True,
            "without_gossip": True,
            "without_mingle": True,
            "ready_callback": lambda _: self.ready.set(),
        }
        self._controller: Controller | None = None
        self._leaving = False
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)

    def start(self) -> None:
        """Connect and listen."""
        self._thread.start()

    def leave(self) -> None:
        """Ask it to end; returns at once. It does so within moments, unless the broker hangs."""
        self._leaving = True
        consumer = getattr(self._controller, "consumer", None)
        if consumer is not None:
            consumer.call_soon(_leave)

    def join(self, timeout: float) -> None:
        """Wait until it has told Flower and closed its connections."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._consume()
        except BaseException as error:  # noqa: BLE001  # a thread that ends silently would be missed
            self.failure = self.failure or error
        finally:
            self.ended.set()

    def _consume(self) -> None:
        _forget_earlier()
        self._controller = controller = Controller(app=self._app, **self._arguments)
        try:
            if not self._leaving:
                controller.blueprint.start(controller)
        except (WorkerShutdown, WorkerTerminate) as ending:
            self._note(ending)
        except Exception as error:  # noqa: BLE001  # what Celery calls an unrecoverable error
            self.failure = error
        self.ended.set()  # closing may take as long as the broker likes
        controller.stop()

    def _note(self, ending: SystemExit) -> None:
        """Celery ends its loop by an exception: after `leave`, after the remote command, or when it has lost its connection."""
        if ending.__cause__ is not None:
            self.failure = ending.__cause__
        elif not self._leaving:
            self.shutdown_asked = True


def _forget_earlier() -> None:
    """What Celery holds for the whole process is that of a consumer before, which may still hang in closing its connections."""
    set_event_loop(None)
    for request in tuple(state.reserved_requests):
        if request not in state.active_requests:  # it would count as one that is being answered, for ever
            state.requests.pop(request.id, None)
            state.reserved_requests.discard(request)


def _leave() -> None:
    raise WorkerShutdown(0)


def no_reconnecting(app: Celery) -> None:
    """Have a lost connection end the consumer: a new one is known to listen, one that Celery reconnects was deaf in several releases."""
    app.conf.update(broker_connection_retry=False, broker_connection_retry_on_startup=False)
    with app.connection_for_read() as broker:  # connects to nothing
        is_news = partial(_is_news, (*broker.connection_errors, *broker.channel_errors))
    for name in COMPLAINING:
        logging.getLogger(name).addFilter(is_news)


def _is_news(broker_errors: tuple[type[BaseException], ...], record: logging.LogRecord) -> bool:
    """Whether it is not a complaint, often with a traceback, that a connection is lost: whoever makes the next consumer tells why."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, broker_errors) and not str(record.msg).startswith(COMPLAINTS)
