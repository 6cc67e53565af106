from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.enums import AttemptOutcome, FailureKind, Stage
from db.jobs.complete import complete_batch
from db.jobs.fail import RetryPolicy
from db.jobs.lease import begin_on_device
from db.monitoring.attempt_history import latest_attempts
from db.monitoring.jobs_left import jobs_left
from db.results.stage_results import Effort, Failure
from tests.builders import harness_of
from tests.builders.results import results_of

if TYPE_CHECKING:
    from db.engine import Database


def test_the_history_tells_how_each_attempt_ended_and_what_is_under_way(database: Database) -> None:
    # Given jobs that are done, failed for good, failed for now, and under way
    harness = harness_of(database, 4)
    done, given_up, again, running = (harness.claim(Stage.CAPTION, limit=1, worker=f"gpu{number}") for number in range(4))
    effort = Effort(seconds=0.5, batch_size=2, since_start=30.0)
    complete_batch(database, done, results=results_of(database, done, ""), effort=effort)
    harness.fail(given_up, FailureKind.INPUT, "truncated")
    complete_batch(
        database,
        again,
        failures=[Failure(job_id=again.jobs[0].job_id, kind=FailureKind.TRANSIENT, error="try later")],
        effort=effort,
        retry_policy=RetryPolicy(first_delay_seconds=60),
    )
    assert begin_on_device(database, running.token)

    # When the newest are asked for
    history = latest_attempts(database, 10)

    # Then they come in the order in which they ended, with what a task shows, those under way last
    assert [attempt.job for attempt in history] == [batch.jobs[0].job_key for batch in (done, given_up, again, running)]
    assert [attempt.outcome for attempt in history] == [AttemptOutcome.DONE, AttemptOutcome.FAILED, AttemptOutcome.FAILED, None]
    assert [attempt.gave_up for attempt in history] == [False, True, False, False]
    assert [attempt.error for attempt in history] == ["", "input: truncated", "transient: try later", ""]
    assert [attempt.worker_id for attempt in history] == ["gpu0", "gpu1", "gpu2", "gpu3"]
    assert {(attempt.stage, attempt.level) for attempt in history} == {("caption", None)}
    assert history[0].artwork.startswith("painter-")

    # And the start of what was on the device is so long before its end
    first, second, _, last = history
    assert first.started_at is not None
    assert first.ended_at is not None
    assert first.ended_at - first.started_at == pytest.approx(30.0, abs=0.5)
    assert second.started_at is None, "nobody told that it had been on the device"
    assert last.claimed_at is not None
    assert last.started_at is not None
    assert last.started_at >= last.claimed_at
    assert last.ended_at is None

    # And fewer are the newest
    assert [attempt.job for attempt in latest_attempts(database, 2)] == [batch.jobs[0].job_key for batch in (given_up, again, running)]


def test_a_repaint_tells_its_level_and_a_second_try_how_many_were_before(database: Database) -> None:
    harness = harness_of(database, 1)
    harness.run(Stage.CAPTION, Stage.PROMPT)
    harness.fail(harness.claim(Stage.GENERATE, "radical"), FailureKind.TRANSIENT)
    harness.skip_retry_delays()
    harness.finish(harness.claim(Stage.GENERATE, "radical"))

    repaints = [attempt for attempt in latest_attempts(database, 10) if attempt.stage == "generate"]

    assert [(attempt.level, attempt.earlier, attempt.gave_up) for attempt in repaints] == [("radical", 0, False), ("radical", 1, False)]


def test_what_is_left_is_counted_up_to_a_bound(database: Database) -> None:
    harness = harness_of(database, 3)
    harness.finish(harness.claim(Stage.CAPTION, limit=1))
    assert jobs_left(database, [Stage.CAPTION], most=100) == 2
    assert jobs_left(database, [Stage.CAPTION], most=1) == 2, "one more than the bound means that there are more"
    left = harness.counts()
    everything = sum(count for states in left.values() for state, count in states.items() if state != "done")
    assert jobs_left(database, list(Stage), most=100) == everything
