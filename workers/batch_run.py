"""One batch from claim to commit: read and lay out, compute on the device, check and store, hand in.

Only the middle part holds the device, so that while one thread computes another decodes the next batch or encodes the last.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from db.engine import DBAPIError
from db.engine.retry import retry_while_unavailable
from db.enums import FailureKind
from db.errors import StoreError
from db.jobs.complete import CompletedBatch, complete_batch
from db.jobs.inputs import load_inputs
from db.jobs.lease import begin_on_device, release_batch
from db.results.stage_results import Effort, Failure, Result
from workers.backends.errors import BadRequest, DeviceLost, OutOfMemory
from workers.bisection import Outcomes, run_bisected
from workers.errors import JobFault, ModelTrouble
from workers.stages import STAGES, Context, Prepared

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from db.engine import Database
    from db.jobs.claim import Batch
    from db.jobs.inputs import JobInput
    from db.settings import Settings
    from db.store import Store
    from workers.model_cache import ModelCache
    from workers.task_events import TaskEventSender
    from workers.time_limit import TimeLimit

logger = logging.getLogger(__name__)

#: Loading may fetch gigabytes before the first batch.
LOAD_ALLOWANCE = 4.0
#: Seconds between two looks at the stop flag while a thread waits for the device.
LOCK_LOOK_SECONDS = 0.2
#: Leases for which a result waits for its database.
PATIENCE_LEASES = 20


@dataclass(frozen=True, kw_only=True)
class WorkerContext:
    """What all batches of one worker process share."""

    database: Database
    store: Store
    settings: Settings
    models: ModelCache
    device_lock: threading.Lock
    time_limit: TimeLimit
    task_events: TaskEventSender
    #: True once the worker was told to stop.
    stopping: Callable[[], bool]


@dataclass(kw_only=True)
class _BatchRun:
    """One batch under way."""

    batch: Batch
    context: Context
    prepared: list[Prepared] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)


def run_batch(worker_context: WorkerContext, batch: Batch) -> CompletedBatch | None:
    """Work through one claimed batch; None if it was given back.

    Raises `ModelTrouble` (the batch is given back first), `DeviceLost` (its jobs are handed in as failed first, or given back).
    """
    try:
        return _run(worker_context, batch)
    except (ModelTrouble, DeviceLost, DBAPIError):
        raise  # a database that stays away lets the lease run out, and the batch is done again
    except Exception as error:
        logger.exception("a batch of %s was not worked through", batch.batch_key)
        failures = [_failure(job.job_id, error) for job in batch.jobs]
        return complete_batch(worker_context.database, batch, failures=failures, effort=Effort(seconds=0.0, batch_size=len(batch.jobs)))


def _run(worker_context: WorkerContext, batch: Batch) -> CompletedBatch | None:
    context = Context(parameters=batch.parameters, revision="", store=worker_context.store)
    run = _BatchRun(batch=batch, context=context)
    facts = load_inputs(worker_context.database, batch)
    worker_context.task_events.received(batch, facts)
    with worker_context.time_limit.of(worker_context.settings.budget_seconds):
        _prepare(run, facts)
    try:
        computed = _compute(worker_context, run)
    except (ModelTrouble, DeviceLost):  # while loading: nothing was computed yet
        release_batch(worker_context.database, batch.token)
        raise
    if computed is None:
        release_batch(worker_context.database, batch.token)
        return None
    outcomes, seconds = computed
    with worker_context.time_limit.of(worker_context.settings.budget_seconds):
        _finish(run, outcomes)
    return _complete(worker_context, run, outcomes, seconds)


def _prepare(run: _BatchRun, facts: list[JobInput]) -> None:
    stage = STAGES[run.batch.stage]
    for work in facts:
        try:
            if not work.known:
                raise JobFault(FailureKind.TRANSIENT, "what it works on is being made again")  # noqa: TRY301  # same path as every fault
            run.prepared.append(stage.prepare(work, run.context))
        except Exception as error:  # noqa: BLE001  # one bad picture must not take its mates along
            run.failures.append(_failure(work.job_id, error))


def _compute(worker_context: WorkerContext, run: _BatchRun) -> tuple[Outcomes[Any], float] | None:
    """Outcomes and the seconds they took; None if the batch must not start: the worker stops, or the lease is gone."""
    if not run.prepared:
        return Outcomes(), 0.0
    if not worker_context.models.needs_device(run.batch.parameters):
        return None if worker_context.stopping() else _on_device(worker_context, run)
    while not worker_context.device_lock.acquire(timeout=LOCK_LOOK_SECONDS):
        if worker_context.stopping():
            return None
    try:
        return None if worker_context.stopping() else _on_device(worker_context, run)
    finally:
        worker_context.device_lock.release()


def _on_device(worker_context: WorkerContext, run: _BatchRun) -> tuple[Outcomes[Any], float] | None:
    batch = run.batch
    with worker_context.time_limit.of(worker_context.settings.budget_seconds * LOAD_ALLOWANCE):
        backend = worker_context.models.take(batch.campaign_id, batch.parameters)
    run.context = Context(parameters=batch.parameters, revision=backend.revision, store=worker_context.store)
    if not begin_on_device(worker_context.database, batch.token):
        return None
    worker_context.task_events.started(batch)
    capacity = worker_context.models.capacity(batch.batch_key, batch.parameters)
    began = time.monotonic()
    with worker_context.time_limit.of(worker_context.settings.budget_seconds):
        outcomes = run_bisected(
            lambda requests: backend.run(requests, batch.parameters.settings), [one.request for one in run.prepared], capacity
        )
    return outcomes, time.monotonic() - began


def _finish(run: _BatchRun, outcomes: Outcomes[Any]) -> None:
    stage = STAGES[run.batch.stage]
    for position, prepared in enumerate(run.prepared):
        try:
            run.results.append(stage.finish(prepared, outcomes.answer(position), run.context))
        except Exception as error:  # noqa: BLE001  # as above
            run.failures.append(_failure(prepared.work.job_id, error))


def _complete(worker_context: WorkerContext, run: _BatchRun, outcomes: Outcomes[Any], seconds: float) -> CompletedBatch:
    each = seconds / max(1, len(run.prepared))
    effort = Effort(seconds=each, batch_size=max(1, outcomes.together))
    verdict = retry_while_unavailable(
        lambda: complete_batch(worker_context.database, run.batch, results=run.results, failures=run.failures, effort=effort),
        patience_seconds=PATIENCE_LEASES * worker_context.settings.lease_seconds,
    )
    _send_events(worker_context.task_events, run, verdict, each)
    if any(isinstance(fault, DeviceLost) for fault in outcomes.faults.values()):
        raise DeviceLost("the device failed: this process ends and a new one takes over")
    return verdict


def _send_events(task_events: TaskEventSender, run: _BatchRun, verdict: CompletedBatch, runtime: float) -> None:
    errors = {failure.job_id: f"{failure.kind}: {failure.error}" for failure in run.failures}
    task_events.succeeded([job for job in run.batch.jobs if job.job_id in verdict.done], runtime=runtime)
    for job in run.batch.jobs:
        if job.job_id in verdict.failed:
            task_events.failed(job, error=errors[job.job_id], again=verdict.failed[job.job_id] is not None)


def _failure(job_id: int, error: Exception) -> Failure:
    if isinstance(error, JobFault):
        return Failure(job_id=job_id, kind=error.kind, error=str(error))
    if isinstance(error, OutOfMemory):
        kind = FailureKind.OOM
    elif isinstance(error, BadRequest):
        kind = FailureKind.INPUT
    else:
        # Network, store, driver, or a fault nobody foresaw: worth a few tries, and its text tells the operator.
        kind = FailureKind.TRANSIENT
        if not isinstance(error, StoreError):
            logger.warning("job %s: %r", job_id, error, exc_info=error)
    text = " ".join(str(error).split()) or type(error).__name__
    return Failure(job_id=job_id, kind=kind, error=f"{type(error).__name__}: {text}"[:2000])
