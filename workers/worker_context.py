"""What all batches of one worker process share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from db.jobs.fail import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from db.engine import Database
    from db.enums import Stage
    from db.jobs.claim import Batch
    from db.jobs.complete import CompletedBatch
    from db.settings import Settings
    from db.store import Store
    from workers.device_lock import DeviceLock
    from workers.model_cache import ModelCache
    from workers.outages import Outages
    from workers.task_events import TaskEventSender
    from workers.time_limit import TimeLimit


class BatchRunner(Protocol):
    """Works through the batches of one stage."""

    def run(self, worker: WorkerContext, batch: Batch) -> CompletedBatch | None:
        """Work through one claimed batch; None if it was released without being started.

        Raises `ModelTrouble` (the batch is released first), `DeviceLost` (its jobs are recorded as failed first, or released).
        """
        ...


@dataclass(frozen=True, kw_only=True)
class WorkerContext:
    """The parts of one worker process that its batches use."""

    database: Database
    store: Store
    settings: Settings
    stages: Mapping[Stage, BatchRunner]
    models: ModelCache
    device_lock: DeviceLock
    time_limit: TimeLimit
    task_events: TaskEventSender
    outages: Outages
    #: True once the worker was asked to stop.
    stopping: Callable[[], bool]

    @property
    def retry_policy(self) -> RetryPolicy:
        """How long failed jobs pause before they are tried again."""
        return RetryPolicy(first_delay_seconds=self.settings.retry_seconds)
