"""Completing: results and failures, the end of their jobs, and the readiness of what follows, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, update

from db.engine.clock import now
from db.enums import AttemptOutcome, JobState, Stage
from db.jobs.attempt_rows import INSERT_ATTEMPTS
from db.jobs.dependents import ready_dependents, supersede
from db.jobs.fail import DEFAULT_RETRY_POLICY, RetryPolicy, record_failures
from db.jobs.lease import delete_if_unused
from db.jobs.tables import jobs
from db.jobs.transitions import move
from db.results.stage_results import CaptionRecord, Effort, Failure, PromptRecord, RepaintRecord, Result
from db.results.tables import captions, images, prompts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from db.engine import Database
    from db.jobs.claim import Batch

# Built once: building and hashing a statement costs as much as running it.
_DONE = (
    move(JobState.DONE)
    .where(jobs.c.id.in_(bindparam("ids", expanding=True)), jobs.c.lease_token == bindparam("mine"))
    .values(
        lease_token=None,
        suspect=False,
        crashes=0,
        attempt_count=jobs.c.attempt_count + 1,
        error_kind=None,
        error_text=None,
        finished_at=now(),
    )
    .returning(jobs.c.id, jobs.c.artwork_id, jobs.c.variation_id, jobs.c.attempt_count, jobs.c.round)
)
_TABLES = {Stage.CAPTION: captions, Stage.PROMPT: prompts, Stage.GENERATE: images, Stage.RECAPTION: captions}
_INSERTS = {stage: insert(table).values(created_at=now()) for stage, table in _TABLES.items()}


@dataclass(frozen=True, kw_only=True)
class CompletedBatch:
    """What became of the jobs of a batch; those in neither list belong to another worker now."""

    done: frozenset[int]
    #: Job id to the seconds until it is tried again, or None if it was given up.
    failed: dict[int, float | None]
    #: How many jobs of the next stage became ready.
    readied: int


def complete_batch(
    database: Database,
    batch: Batch,
    *,
    results: Sequence[Result] = (),
    failures: Sequence[Failure] = (),
    effort: Effort,
    retry_policy: RetryPolicy = DEFAULT_RETRY_POLICY,
) -> CompletedBatch:
    """Commit results and failures of a batch under its token; a job that another worker has taken over is left alone.

    May be called several times for one batch; the lease goes with the last of its jobs.

    Args:
        database: the database that the batch was claimed from.
        batch: the claimed batch.
        results: what its jobs made; blobs are in the store already.
        failures: the jobs that failed, with their cause.
        effort: what one job took.
        retry_policy: how long failed jobs pause before they are tried again.
    """

    def commit(connection: Connection) -> CompletedBatch:
        done = _finish(connection, batch, results, effort) if results else []
        readied = ready_dependents(connection, batch.campaign_id, batch.stage, done) if done else 0
        failed = record_failures(connection, batch, failures, effort, retry_policy) if failures else {}
        delete_if_unused(connection, batch.token)
        return CompletedBatch(done=frozenset(row.id for row in done), failed=failed, readied=readied)

    return database.write(commit)


def _finish(connection: Connection, batch: Batch, results: Sequence[Result], effort: Effort) -> list[Row[Any]]:
    accepted = connection.execute(_DONE, {"ids": [result.job_id for result in results], "mine": batch.token}).all()
    if not accepted:
        return []
    # Only a requeue lets a job that has a result run again.
    again = [row.id for row in accepted if row.round]
    if again and _replace_current(connection, batch.stage, again):
        supersede(connection, batch.campaign_id, batch.stage, accepted)
    by_job = {result.job_id: result for result in results}
    connection.execute(_INSERTS[batch.stage], [_row(batch, job, by_job[job.id]) for job in accepted])
    connection.execute(INSERT_ATTEMPTS, [_attempt(batch, job, effort) for job in accepted])
    return list(accepted)


def _replace_current(connection: Connection, stage: Stage, job_ids: list[int]) -> bool:
    """Turn older results of these jobs into history; True if there were any."""
    table = _TABLES[stage]
    older = update(table).where(table.c.job_id.in_(job_ids), table.c.current).values(current=False)
    return connection.execute(older).rowcount > 0


def _row(batch: Batch, job: Row[Any], result: Result) -> dict[str, Any]:
    shared = {"campaign_id": batch.campaign_id, "current": True}
    match result:
        case CaptionRecord():
            return {**vars(result), **shared, "artwork_id": job.artwork_id, "variation_id": job.variation_id}
        case PromptRecord():
            return {**vars(result), **shared, "variation_id": job.variation_id}
        case RepaintRecord():
            facts = {**vars(result), "content_box": list(result.content_box), "worker_id": batch.worker_id}
            original = {"original_hash": result.provenance.get("original")}
            return {**facts, **original, **shared, "artwork_id": job.artwork_id, "variation_id": job.variation_id}


def _attempt(batch: Batch, job: Row[Any], effort: Effort) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "number": job.attempt_count,
        "round": job.round,
        "worker_id": batch.worker_id,
        "outcome": str(AttemptOutcome.DONE),
        "seconds": effort.seconds,
        "batch_size": effort.batch_size,
        "since_start": effort.since_start,
    }
