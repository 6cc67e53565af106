"""Each committed job as a span: its trace is its artwork's, its parent the job before it, and it links to the batch that it was in."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags, set_span_in_context

from db.enums import Stage
from db.jobs.inputs import MissingInput
from workers.error_log import ErrorLog
from workers.tracing.span_ids import ChosenIds, span_id_of, trace_id_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span
    from opentelemetry.util.types import AttributeValue

    from db.jobs.claim import Batch, ClaimedJob
    from db.jobs.complete import CompletedBatch
    from db.jobs.inputs import JobInput
    from workers.batches.batch_recorder import BatchRecorder

_errors = ErrorLog(logging.getLogger(__name__))

_BEFORE = {stage.following: stage for stage in Stage if stage.following is not None}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


@dataclass(frozen=True, kw_only=True)
class _Received:
    """What the calling thread's batch works on."""

    token: str
    #: Nanoseconds since 1970.
    at: int
    inputs: Mapping[int, JobInput | MissingInput]


class JobTracer:
    """Tells the batches of one worker process as spans, of one at a time in each thread; no fault of it reaches a job."""

    def __init__(self, provider: TracerProvider, *, recorder: BatchRecorder) -> None:
        """`provider` has `ChosenIds`."""
        if not isinstance(provider.id_generator, ChosenIds):
            raise TypeError("the ids of spans must follow from their jobs: the provider needs ChosenIds")
        self._provider = provider
        self._ids = provider.id_generator
        self._tracer = provider.get_tracer("paragone")
        self._recorder = recorder
        self._of_thread = threading.local()

    def received(self, batch: Batch, inputs: Sequence[JobInput | MissingInput]) -> None:
        """The batch is claimed, and this is what its jobs work on."""
        self._of_thread.received = _Received(token=batch.token, at=time.time_ns(), inputs={one.job_id: one for one in inputs})

    def committed(self, batch: Batch, completed: CompletedBatch, errors: Mapping[int, str], *, seconds: float) -> None:
        """The batch's jobs are done or failed.

        Args:
            batch: the claimed batch.
            completed: what became of its jobs.
            errors: the causes of the failures by job.
            seconds: on the device, for each job.
        """
        received: _Received | None = getattr(self._of_thread, "received", None)
        if received is None or received.token != batch.token:
            return
        try:
            self._tell(batch, completed, errors, received, seconds)
        except Exception as error:  # noqa: BLE001  # a trace is not worth a job
            _errors.write("a batch was not traced", error)

    def close(self) -> None:
        """Send what is left; may take seconds if the collector is away."""
        self._provider.shutdown()

    def _tell(self, batch: Batch, completed: CompletedBatch, errors: Mapping[int, str], received: _Received, seconds: float) -> None:
        now = time.time_ns()
        campaign = self._recorder.name_of(batch.campaign_id)
        shared: dict[str, AttributeValue] = {
            "paragone.campaign": campaign,
            "paragone.stage": str(batch.stage),
            "paragone.worker": batch.worker_id,
            "paragone.model": batch.parameters.model or batch.parameters.backend,
        }
        around = self._batch_span(batch, shared, received.at)
        for job in batch.jobs:
            if job.job_id not in completed.done and job.job_id not in completed.failed:
                continue
            span = self._job_span(batch, job, campaign, received, link=Link(around.get_span_context()), done=job.job_id in completed.done)
            span.set_attributes(shared | _facts(job, received.inputs.get(job.job_id)) | {"paragone.device_seconds": seconds})
            if job.job_id in completed.failed:
                span.set_status(Status(StatusCode.ERROR, errors.get(job.job_id)))
                span.set_attribute("paragone.tried_again", completed.failed[job.job_id] is not None)
            span.end(now)
        around.set_attributes({"paragone.jobs.done": len(completed.done), "paragone.jobs.failed": len(completed.failed)})
        around.end(now)

    def _batch_span(self, batch: Batch, shared: Mapping[str, AttributeValue], start: int) -> Span:
        """The root of a trace of its own, with where the time of the batch went."""
        self._ids.choose()
        span = self._tracer.start_span(f"batch {batch.stage}", context=set_span_in_context(NonRecordingSpan(_NOBODY)), start_time=start)
        parts = {f"paragone.seconds.{part}": seconds for part, seconds in self._recorder.seconds.items()}
        span.set_attributes({**shared, **parts, "paragone.jobs": len(batch.jobs)})
        return span

    def _job_span(self, batch: Batch, job: ClaimedJob, campaign: str, received: _Received, *, link: Link, done: bool) -> Span:
        trace_id = trace_id_of("paragone", campaign, job.artwork_id)
        # The span that later jobs name as their parent is that of the attempt which brought the result.
        span_id = _span_id(trace_id, job, batch.stage) if done else None
        self._ids.choose(trace_id=trace_id, span_id=span_id)
        try:
            return self._tracer.start_span(
                str(batch.stage), context=_parent(trace_id, job, batch.stage), links=[link], start_time=received.at
            )
        finally:
            self._ids.choose()


#: Of nobody: a span in this context begins a trace.
_NOBODY = SpanContext(trace_id=0, span_id=0, is_remote=False)


def _parent(trace_id: int, job: ClaimedJob, stage: Stage) -> Context:
    before = _BEFORE.get(stage)
    if before is None:
        return set_span_in_context(NonRecordingSpan(_NOBODY))
    span_id = _span_id(trace_id, job, before)
    return set_span_in_context(NonRecordingSpan(SpanContext(trace_id=trace_id, span_id=span_id, is_remote=True, trace_flags=_SAMPLED)))


def _span_id(trace_id: int, job: ClaimedJob, stage: Stage) -> int:
    return span_id_of(trace_id, job.variation_id if stage.per_variation else "", stage)


def _facts(job: ClaimedJob, found: JobInput | MissingInput | None) -> dict[str, AttributeValue]:
    facts: dict[str, AttributeValue] = {
        "paragone.job": job.job_key,
        "paragone.artwork_id": job.artwork_id,
        "paragone.attempt": job.attempts + 1,
        "paragone.suspect": job.suspect,
    }
    if found is None or isinstance(found, MissingInput):
        return facts
    facts["paragone.artwork"] = found.key
    level = getattr(found, "level", None)
    return facts if level is None else {**facts, "paragone.level": level}
