from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text, update

from db.life.control import cancel
from db.life.lease import begin_on_device, give_back, renew
from db.life.sweep import ADVISORY_LOCK, sweep
from db.tables import attempts, captions, jobs, leases
from db.vocabulary import FailureKind, JobState, Outcome, Stage
from tests.builders import Trial, trial_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from db.life.claim import Batch


@pytest.fixture
def trial(database: Engine) -> Trial:
    return trial_of(database, 4)


def crash(trial: Trial, batch: Batch) -> None:
    """The worker vanishes while its batch is on the device."""
    assert begin_on_device(trial.engine, batch.token)
    trial.lose(batch)


def test_a_renewed_lease_is_not_swept_and_an_expired_one_is(trial: Trial) -> None:
    kept, lost = (trial.claim(Stage.CAPTION, limit=2, worker=name) for name in ("kept", "lost"))
    trial.lapse(kept, lost)

    assert renew(trial.engine, [kept.token], lease_seconds=60.0) == 1
    swept = sweep(trial.engine, lease_seconds=0.0)

    assert (swept.returned, swept.poisoned) == (2, 0)
    assert {row["id"] for row in trial.jobs(Stage.CAPTION, JobState.READY)} == {job.job_id for job in lost.jobs}
    assert [row["token"] for row in trial.rows(leases)] == [kept.token]
    assert renew(trial.engine, [lost.token], lease_seconds=60.0) == 0
    assert renew(trial.engine, [], lease_seconds=60.0) == 0


def test_a_worker_that_slept_past_its_lease_and_was_not_replaced_may_commit(trial: Trial) -> None:
    slow = trial.claim(Stage.CAPTION)
    trial.lose(slow)
    assert trial.states(Stage.CAPTION) == {"ready": 4}

    verdict = trial.finish(slow)

    assert verdict.done == {job.job_id for job in slow.jobs}
    assert trial.states(Stage.CAPTION) == {"done": 4}
    assert trial.states(Stage.PROMPT) == {"ready": 8}
    assert trial.outcomes() == {Outcome.LOST: 4, Outcome.DONE: 4}


def test_a_worker_whose_lease_ran_out_but_was_not_swept_may_commit(trial: Trial) -> None:
    slow = trial.claim(Stage.CAPTION)
    trial.lapse(slow)

    assert len(trial.finish(slow).done) == 4
    assert trial.rows(leases) == []
    assert trial.lose(slow).returned == 0


def test_a_worker_that_was_replaced_can_not_commit(trial: Trial) -> None:
    slow = trial.claim(Stage.CAPTION)
    trial.lose(slow)
    replaced = trial.claim(Stage.CAPTION, limit=3, worker="second")

    verdict = trial.finish(slow, mark=" by the slow one")

    untaken = {job.job_id for job in slow.jobs} - {job.job_id for job in replaced.jobs}
    assert verdict.done == untaken
    assert trial.states(Stage.CAPTION) == {"running": 3, "done": 1}
    assert trial.finish(replaced).done == {job.job_id for job in replaced.jobs}
    assert [row["job_id"] for row in trial.rows(captions) if row["text"].endswith("slow one")] == list(untaken)
    assert len(trial.rows(captions)) == 4


def test_a_worker_that_was_replaced_can_not_fail_the_job_either(trial: Trial) -> None:
    slow = trial.claim(Stage.CAPTION)
    trial.lose(slow)
    trial.claim(Stage.CAPTION, worker="second")

    verdict = trial.fail(slow, FailureKind.INPUT)

    assert verdict.failed == {}
    assert trial.states(Stage.CAPTION) == {"running": 4}


def test_a_batch_whose_lease_is_gone_must_not_start_on_the_device(trial: Trial) -> None:
    batch = trial.claim(Stage.CAPTION)
    assert begin_on_device(trial.engine, batch.token)
    trial.lose(batch)

    assert not begin_on_device(trial.engine, batch.token)
    assert not begin_on_device(trial.engine, "no such token")


def test_a_batch_whose_jobs_were_all_cancelled_must_not_start_on_the_device(trial: Trial) -> None:
    batch = trial.claim(Stage.CAPTION)
    cancel(trial.engine, trial.campaign.id, None)

    assert not begin_on_device(trial.engine, batch.token)


def test_jobs_that_are_given_back_cost_no_attempt(trial: Trial) -> None:
    batch = trial.claim(Stage.CAPTION)

    assert give_back(trial.engine, batch.token) == 4

    assert [(row["state"], row["attempts"], row["lease"], row["suspect"]) for row in trial.jobs(Stage.CAPTION)] == [
        ("ready", 0, None, False)
    ] * 4
    assert trial.rows(leases) == []
    assert trial.rows(attempts) == []


def test_some_of_a_batch_can_be_given_back_and_the_rest_be_finished(trial: Trial) -> None:
    batch = trial.claim(Stage.CAPTION)
    back = [job.job_id for job in batch.jobs[:3]]

    assert give_back(trial.engine, batch.token, back) == 3
    assert len(trial.rows(leases)) == 1

    assert trial.finish(batch).done == {batch.jobs[3].job_id}
    assert trial.rows(leases) == []
    assert trial.states(Stage.CAPTION) == {"ready": 3, "done": 1}


def test_what_was_given_back_can_not_be_committed(trial: Trial) -> None:
    batch = trial.claim(Stage.CAPTION)
    give_back(trial.engine, batch.token)

    assert trial.finish(batch).done == frozenset()
    assert trial.states(Stage.CAPTION) == {"ready": 4}


def test_a_lost_attempt_is_recorded_with_its_worker(trial: Trial) -> None:
    batch = trial.claim(Stage.CAPTION, limit=2, worker="gpu7")
    trial.lose(batch)

    rows = trial.rows(attempts)
    assert {(row["outcome"], row["worker_id"], row["number"], row["batch_size"]) for row in rows} == {("lost", "gpu7", 1, 2)}
    assert {row["job_id"] for row in rows} == {job.job_id for job in batch.jobs}
    assert [trial.job(job.job_id)["attempts"] for job in batch.jobs] == [1, 1]


def test_jobs_that_had_not_started_are_not_suspects(trial: Trial) -> None:
    batch = trial.claim(Stage.CAPTION)
    trial.lose(batch)

    assert not any(row["suspect"] for row in trial.jobs(Stage.CAPTION))
    assert len(trial.claim(Stage.CAPTION).jobs) == 4


def test_a_job_that_takes_its_worker_down_alone_three_times_is_poison_and_its_mates_are_innocent(trial: Trial) -> None:
    mates = trial.claim(Stage.CAPTION)
    guilty = mates.jobs[2].job_id
    crash(trial, mates)
    assert [row["suspect"] for row in trial.jobs(Stage.CAPTION)] == [True] * 4

    for _ in range(20):
        batch = trial.offer(Stage.CAPTION)
        if batch is None:
            break
        assert len(batch.jobs) == 1
        if batch.jobs[0].job_id == guilty:
            crash(trial, batch)
        else:
            trial.finish(batch)

    assert trial.states(Stage.CAPTION) == {"done": 3, "failed": 1}
    poison = trial.job(guilty)
    assert (poison["state"], poison["error_kind"], poison["crashes"], poison["lease"]) == ("failed", "poison", 3, None)
    assert "3 times" in poison["error_text"]
    assert poison["finished_at"] is not None
    assert trial.outcomes([guilty]) == {Outcome.LOST: 4}
    innocent = [row for row in trial.jobs(Stage.CAPTION) if row["id"] != guilty]
    assert [(row["suspect"], row["crashes"]) for row in innocent] == [(False, 0)] * 3


def test_a_crash_among_mates_does_not_count_towards_poison(trial: Trial) -> None:
    for _ in range(5):
        with trial.engine.begin() as connection:
            connection.execute(update(jobs).values(suspect=False))
        crash(trial, trial.claim(Stage.CAPTION))

    assert {row["crashes"] for row in trial.jobs(Stage.CAPTION)} == {0}
    assert trial.states(Stage.CAPTION) == {"ready": 4}


def test_two_lone_crashes_are_forgiven_once_the_job_is_done(trial: Trial) -> None:
    for _ in range(2):
        crash(trial, trial.claim(Stage.CAPTION, limit=1))
    last = trial.claim(Stage.CAPTION)
    assert trial.job(last.jobs[0].job_id)["crashes"] == 2

    trial.finish(last)

    row = trial.job(last.jobs[0].job_id)
    assert (row["state"], row["suspect"], row["crashes"]) == ("done", False, 0)


def test_a_poisoned_job_can_not_be_committed_by_the_worker_that_comes_back(trial: Trial) -> None:
    for _ in range(2):
        crash(trial, trial.claim(Stage.CAPTION, limit=1))
    third = trial.claim(Stage.CAPTION)
    crash(trial, third)
    assert trial.job(third.jobs[0].job_id)["error_kind"] == "poison"

    assert trial.finish(third).done == frozenset()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_sweeper_is_not_held_up_by_another_one(database: Engine, trial: Trial) -> None:
    batch = trial.claim(Stage.CAPTION)
    trial.lapse(batch)
    with trial.engine.begin() as other:
        other.execute(text("SET LOCAL lock_timeout = '2s'"))
        other.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))

        assert sweep(trial.engine, lease_seconds=0.0).returned == 0

    assert sweep(trial.engine, lease_seconds=0.0).returned == 4


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_after_a_restart_of_the_database_nothing_is_swept_for_one_lease(database: Engine, trial: Trial) -> None:
    batch = trial.claim(Stage.CAPTION)
    trial.lapse(batch)
    a_year = 365 * 86400.0

    assert sweep(trial.engine, lease_seconds=a_year).returned == 0
    assert trial.states(Stage.CAPTION) == {"running": 4}
    assert sweep(trial.engine, lease_seconds=0.0).returned == 4


def test_a_lease_whose_jobs_are_all_gone_is_swept_away(trial: Trial) -> None:
    batch = trial.claim(Stage.CAPTION)
    cancel(trial.engine, trial.campaign.id, None)

    swept = trial.lose(batch)

    assert (swept.returned, swept.poisoned) == (0, 0)
    assert trial.rows(leases) == []
    assert trial.states(Stage.CAPTION) == {"cancelled": 4}
    assert trial.rows(attempts) == []
