"""One batch from claim to commit: read and lay out, compute on the device, check and store, hand in.

Only the middle part holds the device, so that while one thread computes another decodes the next batch or encodes the last.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from db.errors import StoreError
from db.life.finish import Verdict, hand_in
from db.life.inputs import works
from db.life.lease import begin_on_device, give_back
from db.life.results import Effort, Failure, Result
from db.retrying import persistently
from db.vocabulary import FailureKind
from workers.backends.errors import BadRequest, DeviceLost, OutOfMemory
from workers.bisection import Outcomes, run_bisected
from workers.errors import JobFault, ModelTrouble
from workers.stages import STAGES, Context, Prepared

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from sqlalchemy import Engine

    from db.life.claim import Batch
    from db.life.inputs import Work
    from db.settings import Settings
    from db.store import Store
    from workers.announcer import Announcer
    from workers.budget import Budget
    from workers.shelf import Shelf

logger = logging.getLogger(__name__)

#: Loading may fetch gigabytes before the first batch.
LOAD_ALLOWANCE = 4.0
#: Seconds between two looks at the stop flag while a thread waits for the device.
LOCK_LOOK_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all batches of one worker process share."""

    engine: Engine
    store: Store
    settings: Settings
    shelf: Shelf
    device_lock: threading.Lock
    budget: Budget
    announcer: Announcer
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


def run_batch(around: Surroundings, batch: Batch) -> Verdict | None:
    """Work through one claimed batch; None if it was given back.

    Raises `ModelTrouble` (the batch is given back first), `DeviceLost` (its jobs are handed in as failed first, or given back).
    """
    try:
        return _run(around, batch)
    except (ModelTrouble, DeviceLost, DBAPIError):
        raise  # a database that stays away lets the lease run out, and the batch is done again
    except Exception as error:
        logger.exception("a batch of %s was not worked through", batch.batch_key)
        failures = [_failure(job.job_id, error) for job in batch.jobs]
        return hand_in(around.engine, batch, failures=failures, effort=Effort(seconds=0.0, batch_size=len(batch.jobs)))


def _run(around: Surroundings, batch: Batch) -> Verdict | None:
    context = Context(parameters=batch.parameters, revision="", store=around.store)
    run = _BatchRun(batch=batch, context=context)
    facts = works(around.engine, batch)
    around.announcer.received(batch, facts)
    with around.budget.of(around.settings.budget_seconds):
        _prepare(run, facts)
    try:
        computed = _compute(around, run)
    except (ModelTrouble, DeviceLost):  # while loading: nothing was computed yet
        give_back(around.engine, batch.token)
        raise
    if computed is None:
        give_back(around.engine, batch.token)
        return None
    outcomes, seconds = computed
    with around.budget.of(around.settings.budget_seconds):
        _finish(run, outcomes)
    return _hand_in(around, run, outcomes, seconds)


def _prepare(run: _BatchRun, facts: list[Work]) -> None:
    stage = STAGES[run.batch.stage]
    for work in facts:
        try:
            if not work.known:
                raise JobFault(FailureKind.TRANSIENT, "what it works on is being made again")  # noqa: TRY301  # same path as every fault
            run.prepared.append(stage.prepare(work, run.context))
        except Exception as error:  # noqa: BLE001  # one bad picture must not take its mates along
            run.failures.append(_failure(work.job_id, error))


def _compute(around: Surroundings, run: _BatchRun) -> tuple[Outcomes[Any], float] | None:
    """Outcomes and the seconds they took; None if the batch must not start: the worker stops, or the lease is gone."""
    if not run.prepared:
        return Outcomes(), 0.0
    if not around.shelf.needs_device(run.batch.parameters):
        return None if around.stopping() else _on_device(around, run)
    while not around.device_lock.acquire(timeout=LOCK_LOOK_SECONDS):
        if around.stopping():
            return None
    try:
        return None if around.stopping() else _on_device(around, run)
    finally:
        around.device_lock.release()


def _on_device(around: Surroundings, run: _BatchRun) -> tuple[Outcomes[Any], float] | None:
    batch = run.batch
    with around.budget.of(around.settings.budget_seconds * LOAD_ALLOWANCE):
        backend = around.shelf.take(batch.campaign_id, batch.parameters)
    run.context = Context(parameters=batch.parameters, revision=backend.revision, store=around.store)
    if not begin_on_device(around.engine, batch.token):
        return None
    around.announcer.started(batch)
    capacity = around.shelf.capacity(batch.batch_key, batch.parameters)
    began = time.monotonic()
    with around.budget.of(around.settings.budget_seconds):
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


def _hand_in(around: Surroundings, run: _BatchRun, outcomes: Outcomes[Any], seconds: float) -> Verdict:
    each = seconds / max(1, len(run.prepared))
    effort = Effort(seconds=each, batch_size=max(1, outcomes.together))
    verdict = persistently(
        lambda: hand_in(around.engine, run.batch, results=run.results, failures=run.failures, effort=effort), around.settings
    )
    _announce(around.announcer, run, verdict, each)
    if any(isinstance(fault, DeviceLost) for fault in outcomes.faults.values()):
        raise DeviceLost("the device failed: this process ends and a new one takes over")
    return verdict


def _announce(announcer: Announcer, run: _BatchRun, verdict: Verdict, runtime: float) -> None:
    errors = {failure.job_id: f"{failure.kind}: {failure.error}" for failure in run.failures}
    announcer.succeeded([job for job in run.batch.jobs if job.job_id in verdict.done], runtime=runtime)
    for job in run.batch.jobs:
        if job.job_id in verdict.failed:
            announcer.failed(job, error=errors[job.job_id], again=verdict.failed[job.job_id] is not None)


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
