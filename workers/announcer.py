"""Announcing: each job's life as standard Celery task events, so that Flower shows jobs, with stage, artwork, runtime and error.

Events are queued and sent by one thread, many to a message: a broker that is slow or gone never holds up a job.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from celery import Celery

    from db.life.claim import Batch, Claimed
    from db.life.inputs import Work

logger = logging.getLogger(__name__)

#: Seconds over which events are gathered into one message.
GATHER_SECONDS = 0.1
#: Events that wait for a broker at most; beyond it the oldest are dropped, the attempts table has them all.
MOST_WAITING = 20_000
#: Events in one message.
MOST_TOGETHER = 200


class Announcer:
    """Sends task events under the worker's name."""

    def __init__(self, app: Celery, *, hostname: str) -> None:
        self._app = app
        self._hostname = hostname
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue(maxsize=MOST_WAITING)
        self._thread = threading.Thread(target=self._send_all, name="announcer", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send what is left, as far as the broker takes it within two seconds."""
        self._put(None)
        self._thread.join(timeout=2)

    def received(self, batch: Batch, works: dict[int, Work]) -> None:
        """The batch is claimed."""
        for job in batch.jobs:
            work = works.get(job.job_id)
            facts = _facts(job, work)
            self._send("task-received", job, name=str(batch.stage), args=facts, kwargs="{}", eta=None, expires=None, retries=job.attempts)

    def started(self, batch: Batch) -> None:
        """The batch is on the device."""
        for job in batch.jobs:
            self._send("task-started", job)

    def succeeded(self, job: Claimed, *, runtime: float, result: str) -> None:
        """The result is committed; `runtime` in seconds."""
        self._send("task-succeeded", job, runtime=runtime, result=result)

    def failed(self, job: Claimed, *, error: str, again: bool) -> None:
        """The job failed: for good, or to be tried again."""
        self._send("task-retried" if again else "task-failed", job, exception=error, traceback=None)

    def _send(self, kind: str, job: Claimed, **fields: Any) -> None:
        uuid = f"{job.job_key}"
        self._put({"type": kind, "uuid": uuid, "root_id": uuid, "parent_id": None, "timestamp": time.time(), **fields})

    def _put(self, event: dict[str, Any] | None) -> None:
        while True:
            try:
                self._events.put_nowait(event)
            except queue.Full:
                try:
                    self._events.get_nowait()
                except queue.Empty:
                    continue
            else:
                return

    def _send_all(self) -> None:
        while True:
            try:
                with (
                    self._app.connection_for_write() as connection,
                    self._app.events.Dispatcher(
                        connection, hostname=self._hostname, buffer_group={"task"}, buffer_limit=MOST_TOGETHER
                    ) as sender,
                ):
                    self._pump(sender)
                    return
            except Exception as error:  # noqa: BLE001  # kombu raises whatever its transport does; Flower is not worth a job
                logger.debug("events are not sent: %s", error)
                time.sleep(1.0)

    def _pump(self, sender: Any) -> None:
        while True:
            event = self._events.get()
            until = time.monotonic() + GATHER_SECONDS
            while event is not None:
                sender.send(event.pop("type"), **event)
                try:
                    event = self._events.get(timeout=max(0.0, until - time.monotonic()))
                except queue.Empty:
                    break
            sender.flush()
            if event is None:
                return


def _facts(job: Claimed, work: Work | None) -> str:
    artwork = work.key if work is not None and work.key else f"artwork {job.artwork_id}"
    level = f", {work.level!r}" if work is not None and work.level else ""
    return f"({artwork!r}{level})"
