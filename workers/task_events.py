"""Each job's life as standard Celery task events, so that Flower shows jobs, with stage, artwork, runtime and error.

Events are queued and sent by one thread, many to a message: a broker that is slow or gone never holds up a job.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from typing import TYPE_CHECKING, Any

from celery.events.event import get_exchange
from celery.utils.time import utcoffset

from db.jobs.inputs import CaptionInput, MissingInput
from workers.broker import without_password

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celery import Celery
    from kombu import Producer

    from db.enums import Stage
    from db.jobs.claim import Batch, ClaimedJob
    from db.jobs.inputs import JobInput

logger = logging.getLogger(__name__)

#: Seconds over which events are gathered into one message.
GATHER_SECONDS = 0.1
#: Batches of events that wait for a broker at most; beyond it the oldest are dropped, the attempts table has them all.
MOST_WAITING = 2_000

Event = dict[str, Any]


def task_event(kind: str, job_key: str, stage: str, *, worker_id: str, timestamp: float, **fields: Any) -> Event:
    """One task event; `timestamp` in seconds since 1970."""
    names = {"type": kind, "uuid": job_key, "name": str(stage), "root_id": job_key, "parent_id": None, "hostname": worker_id}
    # Built here and not by Celery's dispatcher, whose logical clock takes a lock for each of 24 events a batch.
    return {**names, "utcoffset": utcoffset(), "clock": 0, "timestamp": timestamp, **fields}


def received_fields(*, args: str, retries: int) -> Event:
    """What is told of a job that is received."""
    return {"args": args, "kwargs": "{}", "retries": retries, "eta": None, "expires": None}


def device_share(seconds: float) -> str:
    """A job's result as Flower shows it: jobs of one batch run together, so the runtime is theirs in common."""
    return f"its share of its batch: {seconds:.3f} s"


class TaskEventSender:
    """Sends task events under the worker's name."""

    def __init__(self, app: Celery, *, hostname: str) -> None:
        self._app = app
        self._hostname = hostname
        self._waiting: queue.Queue[list[Event] | None] = queue.Queue(maxsize=MOST_WAITING)
        self._thread = threading.Thread(target=self._send_all, name="task_events", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send what is left, as far as the broker takes it within two seconds."""
        self._put(None)
        self._thread.join(timeout=2)

    def received(self, batch: Batch, inputs: Iterable[JobInput | MissingInput]) -> None:
        """The batch is claimed."""
        now = time.time()
        self._put(
            [
                self._event("task-received", job, batch.stage, now, **received_fields(args=_arguments(found), retries=job.attempts))
                for job, found in zip(batch.jobs, inputs, strict=True)
            ]
        )

    def started(self, batch: Batch) -> float:
        """The batch is on the device; returns the moment that the events tell."""
        now = time.time()
        self._put([self._event("task-started", job, batch.stage, now) for job in batch.jobs])
        return now

    def succeeded(self, jobs: Iterable[ClaimedJob], *, stage: Stage, started_at: float, device_seconds: float) -> None:
        """The results are committed.

        Args:
            jobs: those that are done.
            stage: theirs.
            started_at: what `started` returned: the runtime is the time from then to now, as the events tell both.
            device_seconds: each job's share of the time that its batch was on the device.
        """
        now = time.time()
        fields = {"runtime": max(0.0, now - started_at), "result": device_share(device_seconds)}
        self._put([self._event("task-succeeded", job, stage, now, **fields) for job in jobs])

    def failed(self, job: ClaimedJob, *, stage: Stage, error: str, again: bool) -> None:
        """The job failed: for good, or to be tried again."""
        kind = "task-retried" if again else "task-failed"
        self._put([self._event(kind, job, stage, time.time(), exception=error, traceback=None)])

    def _event(self, kind: str, job: ClaimedJob, stage: Stage, moment: float, **fields: Any) -> Event:
        return task_event(kind, job.job_key, stage, worker_id=self._hostname, timestamp=moment, pid=os.getpid(), **fields)

    def _put(self, events: list[Event] | None) -> None:
        while True:
            try:
                self._waiting.put_nowait(events)
            except queue.Full:
                try:
                    self._waiting.get_nowait()
                except queue.Empty:
                    continue
            else:
                return

    def _send_all(self) -> None:
        while True:
            try:
                with self._app.connection_for_write() as connection, self._app.amqp.Producer(connection, auto_declare=False) as producer:
                    self._pump(producer)
                    return
            except Exception as error:  # noqa: BLE001  # kombu raises whatever its transport does; Flower is not worth a job
                logger.debug("events are not sent: %s", without_password(error, self._app.conf.broker_url))
                time.sleep(1.0)

    def _pump(self, producer: Producer) -> None:
        exchange = get_exchange(producer.connection)
        while True:
            events = self._waiting.get()
            ending = events is None
            gathered = events or []
            until = time.monotonic() + GATHER_SECONDS
            while not ending:
                try:
                    more = self._waiting.get(timeout=max(0.0, until - time.monotonic()))
                except queue.Empty:
                    break
                ending = more is None
                gathered += more or []
            if gathered:
                clock = self._app.clock.forward()
                message = [{**event, "clock": clock} for event in gathered]
                # A list under this key is Celery's own form for many task events in one message.
                producer.publish(message, routing_key="task.multi", exchange=exchange, declare=[exchange], serializer="json")
            if ending:
                return


def _arguments(found: JobInput | MissingInput) -> str:
    match found:
        case MissingInput():
            return f"({f'artwork {found.artwork_id}'!r},)"
        case CaptionInput():
            return f"({found.key!r},)"
        case _:
            return f"({found.key!r}, {found.level!r})"
