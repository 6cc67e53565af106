"""What a batch has brought so far, and its way into the database: paid work waits for a store or a database that is away."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from db.errors import DatabaseUnavailable, StoreUnavailable
from db.jobs.complete import CompletedBatch, complete_batch
from db.jobs.lease import end_on_device, release_batch
from db.results.stage_results import Effort, RepaintRecord
from workers.batches.failures import failure_of
from workers.batches.patience import Patience
from workers.observers import BatchPart
from workers.outages import STORE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from db.jobs.claim import Batch
    from db.results.stage_results import Failure, Result
    from workers.worker_context import WorkerContext

logger = logging.getLogger(__name__)

#: Leases for which a result waits for its store or its database.
PATIENCE_LEASES = 20
#: Seconds on the device from which on the mark is taken away at once: one more statement is little beside it. After shorter work it is
#: taken away when the rest takes longer than `LONG_FINISH_SECONDS`.
LONG_COMPUTE_SECONDS = 0.25
LONG_FINISH_SECONDS = 1.0
#: Seconds after which a stored blob is made young again before its row is written: `gc` takes old blobs that no row names.
BLOB_SECONDS = 60.0

T = TypeVar("T")


class FinishedWork:
    """Results, failures, and what goes back without an attempt, of one batch under way in one thread."""

    def __init__(self, worker: WorkerContext, batch: Batch) -> None:
        self._worker = worker
        self._batch = batch
        self._results: list[Result] = []
        self._failures: list[Failure] = []
        #: What was committed before the batch began: copies of captions.
        self._reused: CompletedBatch | None = None
        #: Jobs that go back without an attempt.
        self._spared: list[int] = []
        #: Job to when its blob was put or was seen, on the monotonic clock.
        self._blobs: dict[int, float] = {}
        self._patience = Patience(PATIENCE_LEASES * worker.settings.lease_seconds, is_stopping=worker.stopping)
        #: Seconds on the device for each job.
        self._each = 0.0
        #: When the batch began on the device: on the monotonic clock, and as the task events tell it.
        self._started: tuple[float, float] | None = None
        #: When the batch left the device, while its lease still says that it is there.
        self._left_at: float | None = None

    def note_started(self, told: float) -> None:
        """The batch begins on the device now; the task events tell this moment."""
        self._started = time.monotonic(), told

    def note_computed(self, *, seconds: float, jobs: int) -> None:
        """The batch has left the device, on which it was for so long, with so many jobs."""
        self._each = seconds / max(1, jobs)
        self._left_at = time.monotonic() - (LONG_FINISH_SECONDS if seconds >= LONG_COMPUTE_SECONDS else 0)

    def keep(self, job_id: int, finish: Callable[[], Result]) -> None:
        """Keep what `finish` gives; it is called again while the store is away. Patience that runs out spares the job."""
        self._take_mark_away(after=LONG_FINISH_SECONDS)
        try:
            result = self._patiently(finish)
        except StoreUnavailable:
            self.spare(job_id)
            return
        self._results.append(result)
        if isinstance(result, RepaintRecord):
            self._blobs[job_id] = time.monotonic()

    def fail(self, job_id: int, error: Exception) -> None:
        """The job failed by a fault of its own."""
        self._failures.append(failure_of(job_id, error))

    def spare(self, job_id: int) -> None:
        """The job goes back without an attempt, with the rest of the batch."""
        self._spared.append(job_id)

    def release(self, job_ids: Sequence[int]) -> None:
        """Give these jobs back now, without an attempt."""
        self._patiently(lambda: release_batch(self._worker.database, self._batch.token, job_ids))

    def release_all(self) -> None:
        """Give back whatever the lease still holds, without an attempt."""
        self._patiently(lambda: release_batch(self._worker.database, self._batch.token))

    @property
    def reused(self) -> CompletedBatch | None:
        """What `commit_reused` committed; None if it was not called."""
        return self._reused

    def commit_reused(self, results: Sequence[Result]) -> None:
        """Write results that took nothing, before the rest begins: what follows from them need not wait for that."""
        worker, batch = self._worker, self._batch
        effort = Effort(seconds=None, batch_size=1)
        completed = self._patiently(
            lambda: complete_batch(worker.database, batch, results=results, effort=effort, retry_policy=worker.retry_policy)
        )
        done = [job for job in batch.jobs if job.job_id in completed.done]
        worker.task_events.succeeded(done, stage=batch.stage, started_at=time.time(), device_seconds=0.0)
        if worker.tracer is not None:
            worker.tracer.committed(batch, completed, {}, seconds=0.0)
        self._reused = _together(self._reused, completed)

    def commit(self, *, together: int) -> CompletedBatch | None:
        """Write everything; None if there is nothing beside what was released. `together` ran on the device at once at most."""
        with self._worker.recorder.part(BatchPart.COMMIT):
            completed = self._commit(together)
        if completed is not None:
            self._send_events(completed)
            completed = _together(self._reused, completed)
        else:
            completed = self._reused
        if completed is not None:
            self._worker.recorder.batch_done(self._batch, completed)
        return completed

    def _commit(self, together: int) -> CompletedBatch | None:
        try:
            return self._patiently(lambda: self._write(together))
        except StoreUnavailable:
            # No row without its blob: whether these are still there, nobody can tell.
            for result in [result for result in self._results if result.job_id in self._blobs]:
                self._withdraw(result)
            return self._patiently(lambda: self._write(together))

    def _write(self, together: int) -> CompletedBatch | None:
        self._keep_blobs_young()
        worker, batch = self._worker, self._batch
        if self._spared:
            release_batch(worker.database, batch.token, self._spared)
        if not self._results and not self._failures:
            return None
        since_start = None if self._started is None else time.monotonic() - self._started[0]
        effort = Effort(seconds=self._each, batch_size=max(1, together), since_start=since_start)
        return complete_batch(
            worker.database, batch, results=self._results, failures=self._failures, effort=effort, retry_policy=worker.retry_policy
        )

    def _keep_blobs_young(self) -> None:
        """What was put long ago may be gone: its job is done again."""
        if not self._worker.stages[self._batch.stage].needs_store:
            return
        for result in list(self._results):
            if not isinstance(result, RepaintRecord) or time.monotonic() - self._blobs[result.job_id] < BLOB_SECONDS:
                continue
            if self._worker.store.refresh(result.content_hash):
                self._blobs[result.job_id] = time.monotonic()
            else:
                logger.warning("the blob %s of a finished repaint is not in the store any more: it is made again", result.content_hash)
                self._withdraw(result)

    def _withdraw(self, result: Result) -> None:
        self._results.remove(result)
        self._spared.append(result.job_id)

    def _patiently(self, step: Callable[[], T]) -> T:
        """Run a step, and again while the database or the store is away; raises what it met last once patience has run out."""
        while True:
            try:
                return step()
            except DatabaseUnavailable:
                if not self._patience.wait():
                    raise
            except StoreUnavailable as error:
                self._worker.report_store(error)
                self._take_mark_away(after=0.0)
                if not self._patience.wait(until=lambda: not self._worker.outages.is_away(STORE)):
                    raise

    def _take_mark_away(self, *, after: float) -> None:
        """Beside the device hardly anything takes a worker down: if it vanishes from now on, that says little about the jobs.

        A suspect keeps the mark while it is worked on.
        """
        if self._left_at is None or time.monotonic() - self._left_at < after or (after and self._batch.is_suspect):
            return
        self._left_at = None
        try:
            end_on_device(self._worker.database, self._batch.token)
        except DatabaseUnavailable:
            return

    def _send_events(self, completed: CompletedBatch) -> None:
        task_events = self._worker.task_events
        errors = {failure.job_id: f"{failure.kind}: {failure.error}" for failure in self._failures}
        done = [job for job in self._batch.jobs if job.job_id in completed.done]
        if done and self._started is not None:
            task_events.succeeded(done, stage=self._batch.stage, started_at=self._started[1], device_seconds=self._each)
        for job in self._batch.jobs:
            if job.job_id in completed.failed:
                task_events.failed(job, stage=self._batch.stage, error=errors[job.job_id], again=completed.failed[job.job_id] is not None)
        if self._worker.tracer is not None:
            self._worker.tracer.committed(self._batch, completed, errors, seconds=self._each)


def _together(reused: CompletedBatch | None, completed: CompletedBatch) -> CompletedBatch:
    """Two parts of one batch as one."""
    if reused is None:
        return completed
    return CompletedBatch(
        done=reused.done | completed.done, failed={**reused.failed, **completed.failed}, readied=reused.readied + completed.readied
    )
