"""What Flower forgot when it ended, told to it again from the database: each attempt as the task events that its worker sent."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from db.enums import AttemptOutcome
from db.errors import ParagoneError
from db.monitoring.attempt_history import latest_attempts
from workers.task_events import device_share, received_fields, task_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flower.events import EventsState

    from db.engine import Database
    from db.monitoring.attempt_history import PastAttempt
    from workers.task_events import Event

logger = logging.getLogger(__name__)


class _NoMetrics:
    """Takes the place of Flower's counters: they count what happens while Flower runs, and a history told again would be counted twice."""

    def observe_task(self, *_: object) -> None:
        """Count nothing."""

    def observe_worker(self, *_: object) -> None:
        """Count nothing."""


class FlowerHistory:
    """Tells Flower the newest attempts that ended, and those under way."""

    def __init__(self, state: EventsState, database: Callable[[], Database], *, limit: int) -> None:
        self._state = state
        self._database = database
        self._limit = limit
        self._told: set[tuple[str, int, bool]] = set()

    def tell(self) -> None:
        """Tell what was not told before; without a database Flower goes on without.

        Called a second time once Flower listens to its workers: what ended between the first look and that moment, nobody else tells.
        """
        if not self._limit:
            return
        try:
            history = latest_attempts(self._database(), self._limit)
        except ParagoneError as error:
            logger.warning("Flower does without the history in the database: %s", error)
            return
        metrics, self._state.metrics = self._state.metrics, _NoMetrics()
        try:
            news = [attempt for attempt in history if self._is_news(attempt)]
            for attempt in news:
                for event in events_of(attempt):
                    self._state.event(event)
            for event in _offline(news):
                self._state.event(event)
        finally:
            self._state.metrics = metrics

    def _is_news(self, attempt: PastAttempt) -> bool:
        again = bool(self._told)
        told_under_way = (attempt.job, attempt.earlier, True) in self._told
        name = (attempt.job, attempt.earlier, attempt.outcome is None)
        if name in self._told:
            return False
        self._told.add(name)
        task = self._state.tasks.get(attempt.job) if again else None
        # One that its worker has told of since is left to it: two clocks in one task contradict each other.
        return task is None or (told_under_way and not task.ready)


def events_of(attempt: PastAttempt) -> Iterator[Event]:
    """The task events of one attempt, at their own times; one that was never on the device is received when it ends."""
    begin = attempt.claimed_at or attempt.started_at or attempt.ended_at
    if begin is None:
        return
    args = f"({attempt.artwork!r},)" if attempt.level is None else f"({attempt.artwork!r}, {attempt.level!r})"
    yield _event("task-received", attempt, begin, **received_fields(args=args, retries=attempt.earlier))
    if attempt.started_at is not None:
        yield _event("task-started", attempt, attempt.started_at)
    if attempt.ended_at is None:
        return
    if attempt.outcome is AttemptOutcome.DONE:
        runtime = {} if attempt.started_at is None else {"runtime": attempt.ended_at - attempt.started_at}
        yield _event("task-succeeded", attempt, attempt.ended_at, result=device_share(attempt.seconds or 0.0), **runtime)
    else:
        kind = "task-failed" if attempt.gave_up else "task-retried"
        yield _event(kind, attempt, attempt.ended_at, exception=attempt.error, traceback=None)


def _offline(history: list[PastAttempt]) -> Iterator[Event]:
    """Workers that have ended say so: else Flower takes them for alive as long as their last job is fresh."""
    last = {attempt.worker_id: attempt.ended_at for attempt in history if attempt.worker_ended and attempt.ended_at is not None}
    for worker_id, moment in last.items():
        yield {"type": "worker-offline", "hostname": worker_id, "timestamp": moment, "local_received": moment}


def _event(kind: str, attempt: PastAttempt, moment: float, **fields: object) -> Event:
    # Received when it was sent: Flower warns of a clock that differs otherwise.
    return task_event(kind, attempt.job, attempt.stage, worker_id=attempt.worker_id, timestamp=moment, local_received=moment, **fields)
