"""One batch from claim to commit: read and lay out, compute on the device, check and store, complete.

Only the middle part holds the device, so that while one thread computes another decodes the next batch or encodes the last.
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from db.engine.retry import retry_while_unavailable
from db.errors import DatabaseUnavailable
from db.jobs.complete import complete_batch
from db.jobs.inputs import load_inputs
from db.jobs.lease import begin_on_device, release_batch
from db.results.stage_results import Effort
from workers.backends.errors import BadSettings, DeviceLost
from workers.bisection import Outcomes, run_bisected
from workers.errors import ModelTrouble
from workers.failures import failure_of, missing_input
from workers.stages.stage import InputT, PreparedT, SettingsT, StageContext

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from db.jobs.claim import Batch
    from db.jobs.complete import CompletedBatch
    from db.jobs.inputs import JobInput, MissingInput
    from db.results.stage_results import Failure, Result
    from workers.backends.protocol import Backend
    from workers.stages.stage import StageHandler
    from workers.worker_context import WorkerContext

logger = logging.getLogger(__name__)

#: Loading may fetch gigabytes before the first batch.
LOAD_ALLOWANCE = 4.0
#: Seconds between two looks at the stop flag while a thread waits for the device.
LOCK_LOOK_SECONDS = 0.2
#: Leases for which a result waits for its database.
PATIENCE_LEASES = 20

AnswerT = TypeVar("AnswerT")


def run_batch(worker: WorkerContext, batch: Batch) -> CompletedBatch | None:
    """Work through one claimed batch; None if it was released without being started.

    Raises `ModelTrouble` (the batch is released first), `DeviceLost` (its jobs are recorded as failed first, or released).
    """
    try:
        return worker.stages[batch.stage].run(worker, batch)
    except (ModelTrouble, DeviceLost, DatabaseUnavailable):
        raise  # a database that stays away lets the lease run out, and the batch is done again
    except Exception as error:
        logger.exception("a batch of %s was not worked through", batch.batch_key)
        failures = [failure_of(job.job_id, error) for job in batch.jobs]
        effort = Effort(seconds=0.0, batch_size=len(batch.jobs))
        return complete_batch(worker.database, batch, failures=failures, effort=effort, retry_policy=worker.retry_policy)


class StageRunner(Generic[InputT, PreparedT, SettingsT, AnswerT]):
    """Works through the batches of one stage, whose types it keeps to itself."""

    def __init__(self, handler: StageHandler[InputT, PreparedT, SettingsT, AnswerT, Result]) -> None:
        self._handler = handler

    def run(self, worker: WorkerContext, batch: Batch) -> CompletedBatch | None:
        """As `run_batch`; what goes wrong around the jobs is raised."""
        return _BatchRun(worker, batch, self._handler).run()


class _BatchRun(Generic[InputT, PreparedT, SettingsT, AnswerT]):
    """One batch under way."""

    def __init__(self, worker: WorkerContext, batch: Batch, handler: StageHandler[InputT, PreparedT, SettingsT, AnswerT, Result]) -> None:
        self._worker = worker
        self._batch = batch
        self._handler = handler
        self._prepared: list[PreparedT] = []
        self._results: list[Result] = []
        self._failures: list[Failure] = []
        #: Of the model that computed.
        self._revision = ""
        #: Seconds on the device.
        self._seconds = 0.0

    def run(self) -> CompletedBatch | None:
        inputs = load_inputs(self._worker.database, self._batch)
        self._worker.task_events.received(self._batch, inputs)
        try:
            context = self._context()
            with self._time_limit():
                self._prepare(inputs, context)
            outcomes = self._compute(context.settings)
        except BadSettings as error:
            self._failures = [failure_of(job.job_id, error) for job in self._batch.jobs]
            return self._complete(Outcomes())
        except (ModelTrouble, DeviceLost):  # while loading: nothing was computed yet
            release_batch(self._worker.database, self._batch.token)
            raise
        if outcomes is None:
            release_batch(self._worker.database, self._batch.token)
            return None
        with self._time_limit():
            self._finish(outcomes, context)
        return self._complete(outcomes)

    def _context(self) -> StageContext[SettingsT]:
        parameters = self._batch.parameters
        settings = self._worker.models.settings(parameters)
        if not isinstance(settings, self._handler.settings_type):
            raise ModelTrouble(
                f"the backend {parameters.backend!r} cannot serve the stage {self._batch.stage}: "
                f"its settings are no {self._handler.settings_type.__name__}"
            )
        return StageContext(parameters=parameters, settings=settings, store=self._worker.store)

    def _prepare(self, inputs: list[JobInput | MissingInput], context: StageContext[SettingsT]) -> None:
        for found in inputs:
            try:
                if not isinstance(found, self._handler.input_type):
                    raise missing_input(found)  # noqa: TRY301  # the same path as every fault
                self._prepared.append(self._handler.prepare(found, context))
            except Exception as error:  # noqa: BLE001  # one bad original must not take its mates along
                self._failures.append(failure_of(found.job_id, error))

    def _compute(self, settings: SettingsT) -> Outcomes[AnswerT] | None:
        """What came of each prepared job; None if the batch must not start: the worker stops, or the lease is gone."""
        if not self._prepared:
            return Outcomes()
        with self._device() as granted:
            return self._on_device(settings) if granted else None

    @contextmanager
    def _device(self) -> Iterator[bool]:
        """The device, for backends that need it; False if the worker stops meanwhile."""
        worker = self._worker
        if not worker.models.needs_device(self._batch.parameters):
            yield not worker.stopping()
            return
        while not worker.device_lock.acquire(timeout=LOCK_LOOK_SECONDS):
            if worker.stopping():
                yield False
                return
        try:
            yield not worker.stopping()
        finally:
            worker.device_lock.release()

    def _on_device(self, settings: SettingsT) -> Outcomes[AnswerT] | None:
        worker, batch = self._worker, self._batch
        with self._time_limit(LOAD_ALLOWANCE):
            backend: Backend[object, AnswerT, SettingsT] = worker.models.take(batch.campaign_id, batch.parameters)
        self._revision = backend.revision
        if not begin_on_device(worker.database, batch.token):
            return None
        worker.task_events.started(batch)
        capacity = worker.models.capacity(batch.batch_key, batch.parameters)
        began = time.monotonic()
        with self._time_limit():
            outcomes = run_bisected(
                lambda requests: backend.run(requests, settings),
                [prepared.request for prepared in self._prepared],
                capacity,
                make_room=lambda: worker.models.evict_idle(backend, capacity),
            )
        self._seconds = time.monotonic() - began
        return outcomes

    def _finish(self, outcomes: Outcomes[AnswerT], context: StageContext[SettingsT]) -> None:
        for position, prepared in enumerate(self._prepared):
            try:
                self._results.append(self._handler.finish(prepared, outcomes.answer(position), context, revision=self._revision))
            except Exception as error:  # noqa: BLE001  # as above
                self._failures.append(failure_of(prepared.job.job_id, error))

    def _complete(self, outcomes: Outcomes[AnswerT]) -> CompletedBatch:
        each = self._seconds / max(1, len(self._prepared))
        effort = Effort(seconds=each, batch_size=max(1, outcomes.together))
        completed = retry_while_unavailable(
            lambda: complete_batch(
                self._worker.database,
                self._batch,
                results=self._results,
                failures=self._failures,
                effort=effort,
                retry_policy=self._worker.retry_policy,
            ),
            patience_seconds=PATIENCE_LEASES * self._worker.settings.lease_seconds,
        )
        self._send_events(completed, runtime=each)
        if any(isinstance(fault, DeviceLost) for fault in outcomes.faults.values()):
            raise DeviceLost("the device failed: this process ends and a new one takes over")
        return completed

    def _send_events(self, completed: CompletedBatch, *, runtime: float) -> None:
        task_events = self._worker.task_events
        errors = {failure.job_id: f"{failure.kind}: {failure.error}" for failure in self._failures}
        task_events.succeeded([job for job in self._batch.jobs if job.job_id in completed.done], runtime=runtime)
        for job in self._batch.jobs:
            if job.job_id in completed.failed:
                task_events.failed(job, error=errors[job.job_id], again=completed.failed[job.job_id] is not None)

    def _time_limit(self, allowance: float = 1.0) -> AbstractContextManager[None]:
        return self._worker.time_limit.of(self._worker.settings.budget_seconds * allowance)
