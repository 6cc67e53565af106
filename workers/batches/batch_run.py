"""One batch from claim to commit: read and lay out, compute on the device, check and store, complete.

Only the middle part holds the device, so that while one thread computes another decodes the next batch or encodes the last. Attempts are
spent on what is a job's own fault; what an outage hits goes back as it came.
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from db.errors import DatabaseUnavailable, StoreUnavailable
from db.jobs.complete import complete_batch
from db.jobs.inputs import load_inputs
from db.jobs.lease import begin_on_device
from db.logs import log_context
from db.results.stage_results import Effort
from workers.backends.errors import BadSettings, DeviceLost, EndpointUnavailable, ModelUnavailable, OutOfMemory
from workers.batches.bisection import Outcomes, run_bisected
from workers.batches.caption_reuse import DESCRIBING_STAGES, reusable_captions
from workers.batches.containment import contained
from workers.batches.failures import failure_of, missing_input
from workers.batches.finished_work import FinishedWork
from workers.error_log import ErrorLog
from workers.errors import ModelTrouble
from workers.observers import BatchPart
from workers.outages import endpoint
from workers.stages.stage import InputT, PreparedT, SettingsT, StageContext

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from db.jobs.claim import Batch
    from db.jobs.complete import CompletedBatch
    from db.jobs.inputs import JobInput, MissingInput
    from db.results.stage_results import CaptionRecord, Result
    from workers.backends.protocol import Backend
    from workers.stages.stage import StageHandler
    from workers.worker_context import WorkerContext

_errors = ErrorLog(logging.getLogger(__name__))

#: Loading may fetch gigabytes before the first batch.
LOAD_ALLOWANCE = 4.0
#: Seconds between two looks at the stop flag while a thread waits for the device.
LOCK_LOOK_SECONDS = 0.2

AnswerT = TypeVar("AnswerT")


def run_batch(worker: WorkerContext, batch: Batch) -> CompletedBatch | None:
    """Work through one claimed batch; None if all of it was released without an attempt.

    Raises `ModelTrouble` (the batch is released first), `DeviceLost` (its jobs are recorded as failed first, or released),
    `DatabaseUnavailable` (it stayed away: the lease runs out, and the batch is done again).
    """
    try:
        with contained("a stage"):
            return worker.stages[batch.stage].run(worker, batch)
    except (ModelTrouble, DeviceLost, DatabaseUnavailable):
        raise
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not take the worker along
        _errors.write(f"a batch of {batch.batch_key} was not worked through", error)
        failures = [failure_of(job.job_id, error) for job in batch.jobs]
        effort = Effort(seconds=0.0, batch_size=len(batch.jobs))
        completed = complete_batch(worker.database, batch, failures=failures, effort=effort, retry_policy=worker.retry_policy)
        worker.recorder.batch_done(batch, completed)
        return completed


class StageRunner(Generic[InputT, PreparedT, SettingsT, AnswerT]):
    """Works through the batches of one stage, whose types it keeps to itself."""

    def __init__(self, handler: StageHandler[InputT, PreparedT, SettingsT, AnswerT, Result]) -> None:
        self._handler = handler

    @property
    def needs_store(self) -> bool:
        """Whether its stage reads or writes the image store."""
        return self._handler.needs_store

    def run(self, worker: WorkerContext, batch: Batch) -> CompletedBatch | None:
        """As `run_batch`; what goes wrong around the jobs is raised."""
        return _BatchRun(worker, batch, self._handler).run()


class _BatchRun(Generic[InputT, PreparedT, SettingsT, AnswerT]):
    """One batch under way."""

    def __init__(self, worker: WorkerContext, batch: Batch, handler: StageHandler[InputT, PreparedT, SettingsT, AnswerT, Result]) -> None:
        self._worker = worker
        self._batch = batch
        self._handler = handler
        self._part = worker.recorder.part
        self._prepared: list[PreparedT] = []
        self._finished = FinishedWork(worker, batch)
        #: Of the model that computed.
        self._revision = ""
        #: Whether captions of these pictures are there, if only this campaign turns out to use the model at their revision.
        self._may_reuse = False
        self._job_keys = {job.job_id: job.job_key for job in batch.jobs}

    def run(self) -> CompletedBatch | None:
        try:
            return self._run()
        except DatabaseUnavailable:
            self._finished.release_all()  # waits for it, unless patience has run out already
            return None

    def _run(self) -> CompletedBatch | None:
        # A suspect may take its worker down in any part of the work.
        if self._batch.is_suspect and not begin_on_device(self._worker.database, self._batch.token):
            return None
        with self._part(BatchPart.LOAD):
            inputs = load_inputs(self._worker.database, self._batch)
        self._worker.task_events.received(self._batch, inputs)
        if self._worker.tracer is not None:
            self._worker.tracer.received(self._batch, inputs)
        try:
            context = self._context()
            inputs = self._without_known_captions(inputs)
            with self._time_limit(), self._part(BatchPart.DECODE):
                self._prepare(inputs, context)
            outcomes = self._compute(context.settings)
        except BadSettings as error:
            for job in self._batch.jobs:
                self._finished.fail(job.job_id, error)
            return self._finished.commit(together=0)
        except (ModelTrouble, DeviceLost):  # while loading, or a service refuses whoever asks: nothing was computed yet
            self._finished.release_all()
            raise
        if outcomes is None:
            self._finished.release_all()
            return self._finished.reused
        with self._part(BatchPart.ENCODE):
            self._finish(outcomes, context)
        completed = self._finished.commit(together=outcomes.together)
        if any(isinstance(fault, DeviceLost) for fault in outcomes.faults.values()):
            raise DeviceLost("the device failed: this process ends and a new one takes over")
        return completed

    def _context(self) -> StageContext[SettingsT]:
        parameters = self._batch.parameters
        settings = self._worker.models.settings(self._batch.campaign_id, parameters)
        if not isinstance(settings, self._handler.settings_type):
            raise ModelTrouble(
                f"the backend {parameters.backend!r} cannot serve the stage {self._batch.stage}: "
                f"its settings are no {self._handler.settings_type.__name__}"
            )
        return StageContext(parameters=parameters, settings=settings, store=self._worker.store, recorder=self._worker.recorder)

    def _without_known_captions(self, inputs: list[JobInput | MissingInput]) -> list[JobInput | MissingInput]:
        """The inputs without those that are done by a copy of a caption; before the first load nobody knows yet of which."""
        if self._batch.stage not in DESCRIBING_STAGES:
            return inputs
        revision = self._worker.models.revision(self._batch.campaign_id, self._batch.parameters)
        found = reusable_captions(self._worker, self._batch, inputs, revision=revision)
        if revision is None:
            self._may_reuse = bool(found)
            return inputs
        self._finish_by_copies(found)
        done = {record.job_id for record in found}
        return [one for one in inputs if one.job_id not in done]

    def _finish_by_copies(self, found: Sequence[CaptionRecord]) -> None:
        """Complete these jobs; the batch goes on with the others."""
        if not found:
            return
        self._finished.commit_reused(found)
        done = {record.job_id for record in found}
        self._batch = replace(self._batch, jobs=tuple(job for job in self._batch.jobs if job.job_id not in done))
        self._prepared = [prepared for prepared in self._prepared if prepared.job.job_id not in done]

    def _prepare(self, inputs: list[JobInput | MissingInput], context: StageContext[SettingsT]) -> None:
        for position, found in enumerate(inputs):
            with log_context(job=self._job_keys[found.job_id]):
                if not self._prepare_one(found, context):
                    self._finished.release([one.job_id for one in inputs[position:]])
                    return

    def _prepare_one(self, found: JobInput | MissingInput, context: StageContext[SettingsT]) -> bool:
        """Whether the next one may be prepared too: not if the store is away."""
        try:
            if not isinstance(found, self._handler.input_type):
                raise missing_input(found)  # noqa: TRY301  # the same path as every fault
            with contained(f"the stage {self._batch.stage}"):
                self._prepared.append(self._handler.prepare(found, context))
        except StoreUnavailable as error:
            self._worker.report_store(error)
            return False
        except DatabaseUnavailable:  # the store asks it which store it is
            raise
        except Exception as error:  # noqa: BLE001  # one bad original must not take its mates along
            self._finished.fail(found.job_id, error)
        return True

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
        if not self._wait_for_device():
            yield False
            return
        try:
            yield not worker.stopping()
        finally:
            worker.device_lock.release()

    def _wait_for_device(self) -> bool:
        """Take the device; False if the worker stops meanwhile."""
        with self._part(BatchPart.WAIT):
            while not self._worker.device_lock.acquire(timeout=LOCK_LOOK_SECONDS):
                if self._worker.stopping():
                    return False
        return True

    def _on_device(self, settings: SettingsT) -> Outcomes[AnswerT] | None:
        worker, batch = self._worker, self._batch
        with self._time_limit(LOAD_ALLOWANCE), self._part(BatchPart.MODEL):
            backend: Backend[object, AnswerT, SettingsT] = worker.models.take(batch.campaign_id, batch.parameters)
        self._revision = backend.revision
        if self._may_reuse:
            inputs = [prepared.job for prepared in self._prepared]
            self._finish_by_copies(reusable_captions(worker, batch, inputs, revision=backend.revision))
            batch = self._batch
            if not self._prepared:
                return Outcomes()
        if worker.stopping() or not begin_on_device(worker.database, batch.token):
            return None
        self._finished.note_started(worker.task_events.started(batch))
        capacity = worker.models.capacity(batch.batch_key, batch.parameters)
        service = _Service(worker, batch, backend, settings)
        part = BatchPart.DEVICE if worker.models.needs_device(batch.parameters) else BatchPart.BACKEND
        began = time.monotonic()
        with self._time_limit(), self._part(part):
            outcomes = run_bisected(
                service.ask,
                [prepared.request for prepared in self._prepared],
                capacity,
                make_room=lambda: worker.models.evict_idle(backend, capacity),
            )
        self._finished.note_computed(seconds=time.monotonic() - began, jobs=len(self._prepared))
        return outcomes

    def _finish(self, outcomes: Outcomes[AnswerT], context: StageContext[SettingsT]) -> None:
        for position, prepared in enumerate(self._prepared):
            job_id = prepared.job.job_id
            with log_context(job=self._job_keys[job_id]):
                try:
                    answer = outcomes.answer(position)
                    self._finished.keep(job_id, lambda: self._finish_one(prepared, answer, context))  # noqa: B023  # called at once
                except EndpointUnavailable:
                    self._finished.spare(job_id)
                except DatabaseUnavailable:
                    raise
                except Exception as error:  # noqa: BLE001  # as above
                    self._finished.fail(job_id, error)

    def _finish_one(self, prepared: PreparedT, answer: AnswerT, context: StageContext[SettingsT]) -> Result:
        with self._time_limit(), contained(f"the stage {self._batch.stage}"):
            return self._handler.finish(prepared, answer, context, revision=self._revision)

    def _time_limit(self, allowance: float = 1.0) -> AbstractContextManager[None]:
        return self._worker.time_limit.of(self._worker.settings.budget_seconds * allowance)


class _Service(Generic[AnswerT, SettingsT]):
    """The backend as one batch asks it: whether its endpoint answers is news for all batches of the key."""

    def __init__(self, worker: WorkerContext, batch: Batch, backend: Backend[object, AnswerT, SettingsT], settings: SettingsT) -> None:
        self._worker = worker
        self._batch = batch
        self._backend = backend
        self._settings = settings

    def ask(self, requests: Sequence[object]) -> Sequence[AnswerT]:
        """The answers; raises what the backend does."""
        asked_at = time.monotonic()
        try:
            with contained():
                answers = self._backend.run(requests, self._settings)
        except OutOfMemory:
            self._worker.recorder.observers.out_of_memory(self._batch.stage, len(requests))
            raise
        except EndpointUnavailable as error:
            self._worker.outages.report(endpoint(error.endpoint), str(error), batch_keys=[self._batch.batch_key])
            raise
        except ModelUnavailable as error:  # no request's fault: a wrong key, a model that the service does not have, a cap that is spent
            raise ModelTrouble(str(error)) from error
        self._worker.outages.note_answer(self._batch.batch_key, asked_at=asked_at)
        return answers
