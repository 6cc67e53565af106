from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

import db.jobs.prune
from db.engine.clock import now
from db.enums import FailureKind, JobState, Stage
from db.jobs.control import cancel
from db.jobs.fail import RETRIES
from db.jobs.prune import prune_attempts
from db.tables import attempts, jobs
from tests.builders import harness_of

if TYPE_CHECKING:
    from db.engine import Database


@pytest.mark.parametrize("at_once", [1, 2, 9_000])
def test_attempts_of_jobs_that_are_done_or_cancelled_are_pruned_and_those_that_still_count_are_kept(
    database: Database, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.jobs.prune, "AT_ONCE", at_once)
    harness = harness_of(database, 4, recaption=False)
    for kind in (FailureKind.INPUT, FailureKind.TRANSIENT):
        harness.fail(harness.claim(Stage.CAPTION, limit=1), kind)
    harness.run(Stage.CAPTION, Stage.PROMPT)
    harness.fail(harness.claim(Stage.GENERATE, "radical"), FailureKind.TRANSIENT)
    cancel(database, harness.campaign.id, Stage.GENERATE)
    before = len(harness.rows(attempts))

    assert prune_attempts(database, 3600) == 0
    assert prune_attempts(database, -1) == before - 2

    kept = {row["job_id"] for row in harness.rows(attempts)}
    assert {harness.job(job_id)["state"] for job_id in kept} == {JobState.FAILED, JobState.READY}


def test_only_old_attempts_are_pruned(database: Database) -> None:
    harness = harness_of(database, 4)
    harness.run(Stage.CAPTION)
    old = [row["id"] for row in harness.rows(attempts)[1::2]]
    with database.engine.begin() as connection:
        connection.execute(update(attempts).where(attempts.c.id.in_(old)).values(ended_at=now() - 7200))

    assert prune_attempts(database, 3600) == 2

    assert not {row["id"] for row in harness.rows(attempts)} & set(old)


def test_a_job_that_is_tried_again_after_a_pruning_has_no_more_retries_than_before(database: Database) -> None:
    harness = harness_of(database, 1)
    tries = 0
    while (batch := harness.offer(Stage.CAPTION)) is not None:
        harness.fail(batch, FailureKind.OOM)
        tries += 1
        prune_attempts(database, -1)
        with database.engine.begin() as connection:
            connection.execute(update(jobs).values(not_before=0))

    assert tries == RETRIES[FailureKind.OOM] + 1
