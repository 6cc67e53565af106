"""Failing: a failure is retried with growing pauses while its kind allows it, then the job is given up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from db.engine.clock import now
from db.enums import AttemptOutcome, FailureKind, JobState
from db.jobs.attempt_rows import INSERT_ATTEMPTS
from db.jobs.reseed import reseed
from db.jobs.tables import attempts, jobs
from db.jobs.transitions import in_state, move, origins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, RowMapping, Update

    from db.jobs.claim import Batch
    from db.results.stage_results import Effort, Failure

#: Retries by kind within one round; a requeue begins a new round.
RETRIES = {
    FailureKind.INPUT: 0,
    FailureKind.TRANSIENT: 5,
    FailureKind.OOM: 3,
    FailureKind.DEGENERATE: 3,
    FailureKind.POISON: 0,
}
#: A kind's first pause as a multiple of the policy's: memory takes longer to come free, another seed may be tried at once.
FIRST_DELAYS = {FailureKind.TRANSIENT: 1.0, FailureKind.OOM: 2.0, FailureKind.DEGENERATE: 0.0}


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How long failed jobs pause before they are tried again."""

    #: Seconds before the first retry of a passing fault; each further one waits twice as long.
    first_delay_seconds: float = 5.0
    #: Seconds that no pause exceeds before jitter.
    longest_delay_seconds: float = 600.0

    def delay(self, kind: FailureKind, failures_before: int, *, job_key: str) -> float | None:
        """Seconds until the next try, or None if the job is given up.

        The jitter (plus or minus a quarter) follows from the job and the count: mates of a batch come back apart, and a test can tell when.

        Args:
            kind: why the job failed.
            failures_before: how often it failed of that kind before, in its present round.
            job_key: the job's key.
        """
        if failures_before >= RETRIES[kind]:
            return None
        digest = hashlib.sha256(f"{job_key}\x1f{failures_before}".encode()).digest()
        jitter = 0.75 + 0.5 * digest[0] / 255
        first = self.first_delay_seconds * FIRST_DELAYS[kind]
        return float(min(self.longest_delay_seconds, first * 2.0**failures_before) * jitter)


DEFAULT_RETRY_POLICY = RetryPolicy()


def record_failures(
    connection: Connection, batch: Batch, failures: Sequence[Failure], effort: Effort, retry_policy: RetryPolicy
) -> dict[int, float | None]:
    """Write failures of jobs that still belong to the batch; returns for each the pause before its retry, None if it was given up."""
    by_job = {failure.job_id: failure for failure in failures}
    mine = (
        connection.execute(
            select(jobs.c.id, jobs.c.job_key, jobs.c.variation_id, jobs.c.attempt_count, jobs.c.round)
            .where(jobs.c.id.in_(by_job), jobs.c.lease_token == batch.token, in_state(*origins(JobState.FAILED)))
            .with_for_update()
        )
        .mappings()
        .all()
    )
    pauses: dict[int, float | None] = {}
    for job in mine:
        failure = by_job[job["id"]]
        pause = retry_policy.delay(failure.kind, _failures_before(connection, job, failure.kind), job_key=job["job_key"])
        connection.execute(_after(failure, pause).where(jobs.c.id == job["id"]))
        pauses[job["id"]] = pause
    again = [job for job in mine if by_job[job["id"]].kind is FailureKind.DEGENERATE and pauses[job["id"]] is not None]
    reseed(connection, [job["variation_id"] for job in again if job["variation_id"] is not None])
    if mine:
        connection.execute(INSERT_ATTEMPTS, [_attempt(batch, job, by_job[job["id"]], effort) for job in mine])
    return pauses


def _failures_before(connection: Connection, job: RowMapping, kind: FailureKind) -> int:
    same = (attempts.c.job_id == job["id"], attempts.c.round == job["round"], attempts.c.error_kind == str(kind))
    return int(connection.scalar(select(func.count()).select_from(attempts).where(*same)) or 0)


def _after(failure: Failure, pause: float | None) -> Update:
    if pause is None:
        ended = move(JobState.FAILED).values(finished_at=now())
    else:
        ended = move(JobState.READY, leaving=origins(JobState.FAILED)).values(not_before=now() + pause if pause else 0)
    # A suspect stays one, and its lone crashes count on: that it failed in the ordinary way (perhaps before it came to the device) does not
    # show that it spares its worker. It goes on alone, and no job can crash and fail by turns without end. Only a result clears it.
    return ended.values(
        lease_token=None,
        attempt_count=jobs.c.attempt_count + 1,
        error_kind=str(failure.kind),
        error_text=failure.error,
    )


def _attempt(batch: Batch, job: RowMapping, failure: Failure, effort: Effort) -> dict[str, Any]:
    return {
        "job_id": job["id"],
        "number": job["attempt_count"] + 1,
        "round": job["round"],
        "worker_id": batch.worker_id,
        "outcome": str(AttemptOutcome.FAILED),
        "error_kind": str(failure.kind),
        "error_text": failure.error,
        "seconds": effort.seconds,
        "batch_size": effort.batch_size,
        "since_start": effort.since_start,
    }
