"""What all batches of one worker process share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from db.jobs.fail import RetryPolicy
from workers.batches.batch_recorder import BatchRecorder
from workers.outages import STORE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from db.engine import Database
    from db.enums import Stage
    from db.errors import StoreUnavailable
    from db.jobs.claim import Batch
    from db.jobs.complete import CompletedBatch
    from db.settings import Settings
    from db.store import Store
    from workers.device_lock import DeviceLock
    from workers.model_cache import ModelCache
    from workers.outages import Outages
    from workers.task_events import TaskEventSender
    from workers.time_limit import TimeLimit
    from workers.tracing.job_tracer import JobTracer


class BatchRunner(Protocol):
    """Works through the batches of one stage."""

    @property
    def needs_store(self) -> bool:
        """Whether its stage reads or writes the image store."""
        ...

    def run(self, worker: WorkerContext, batch: Batch) -> CompletedBatch | None:
        """Work through one claimed batch; None if all of it was released without an attempt.

        Raises `ModelTrouble` (the batch is released first), `DeviceLost` (its jobs are recorded as failed first, or released),
        `DatabaseUnavailable` (the batch is left to its lease).
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
    recorder: BatchRecorder = field(default_factory=BatchRecorder)
    #: None where nobody asked for traces.
    tracer: JobTracer | None = None

    @property
    def stages_with_store(self) -> frozenset[Stage]:
        """The stages that read or write the image store."""
        return frozenset(stage for stage, runner in self.stages.items() if runner.needs_store)

    def report_store(self, error: StoreUnavailable) -> None:
        """The image store as a whole cannot be used from here: nothing that needs it is claimed until it is back."""
        self.outages.report(STORE, str(error), probe=self.store.check, stages=self.stages_with_store)

    @property
    def retry_policy(self) -> RetryPolicy:
        """How long failed jobs pause before they are tried again."""
        return RetryPolicy(first_delay_seconds=self.settings.retry_seconds)
