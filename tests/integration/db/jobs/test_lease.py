from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text, update

from db.enums import AttemptOutcome, FailureKind, JobState, Stage, WorkerEnd
from db.jobs.complete import complete_batch
from db.jobs.control import cancel
from db.jobs.lease import begin_on_device, release_batch, renew
from db.jobs.sweep import ADVISORY_LOCK, CRASHES_ALLOWED, KILLS_ALLOWED, return_jobs_of, sweep
from db.tables import attempts, captions, jobs, leases
from tests.builders import CampaignHarness, harness_of, results_of
from tests.builders.campaign_harness import EFFORT

if TYPE_CHECKING:
    from db.engine import Database
    from db.jobs.claim import Batch


@pytest.fixture
def harness(database: Database) -> CampaignHarness:
    return harness_of(database, 4)


def crash(harness: CampaignHarness, batch: Batch) -> None:
    """The worker vanishes while its batch is on the device."""
    assert begin_on_device(harness.database, batch.token)
    harness.crash_workers(batch)


def test_a_renewed_lease_is_not_swept_and_an_expired_one_is(harness: CampaignHarness) -> None:
    kept, lost = (harness.claim(Stage.CAPTION, limit=2, worker=name) for name in ("kept", "lost"))
    harness.expire_leases(kept, lost)

    assert renew(harness.database, [kept.token], lease_seconds=60.0) == 1
    swept = sweep(harness.database, lease_seconds=0.0)

    assert (swept.returned, swept.poisoned) == (2, 0)
    assert {row["id"] for row in harness.jobs(Stage.CAPTION, JobState.READY)} == {job.job_id for job in lost.jobs}
    assert [row["token"] for row in harness.rows(leases)] == [kept.token]
    assert renew(harness.database, [lost.token], lease_seconds=60.0) == 0
    assert renew(harness.database, [], lease_seconds=60.0) == 0


def test_a_worker_that_slept_past_its_lease_and_was_not_replaced_may_commit(harness: CampaignHarness) -> None:
    slow = harness.claim(Stage.CAPTION)
    harness.crash_workers(slow)
    assert harness.states(Stage.CAPTION) == {"ready": 4}

    completed = harness.finish(slow)

    assert completed.done == {job.job_id for job in slow.jobs}
    assert harness.states(Stage.CAPTION) == {"done": 4}
    assert harness.states(Stage.PROMPT) == {"ready": 8}
    assert harness.outcomes() == {AttemptOutcome.LOST: 4, AttemptOutcome.DONE: 4}


def test_a_worker_whose_lease_ran_out_but_was_not_swept_may_commit(harness: CampaignHarness) -> None:
    slow = harness.claim(Stage.CAPTION)
    harness.expire_leases(slow)

    assert len(harness.finish(slow).done) == 4
    assert harness.rows(leases) == []
    assert harness.crash_workers(slow).returned == 0


def test_a_worker_that_was_replaced_cannot_commit(harness: CampaignHarness) -> None:
    slow = harness.claim(Stage.CAPTION)
    harness.crash_workers(slow)
    replaced = harness.claim(Stage.CAPTION, limit=3, worker="second")

    completed = harness.finish(slow, mark=" by the slow one")

    untaken = {job.job_id for job in slow.jobs} - {job.job_id for job in replaced.jobs}
    assert completed.done == untaken
    assert harness.states(Stage.CAPTION) == {"running": 3, "done": 1}
    assert harness.finish(replaced).done == {job.job_id for job in replaced.jobs}
    assert [row["job_id"] for row in harness.rows(captions) if row["text"].endswith("slow one")] == list(untaken)
    assert len(harness.rows(captions)) == 4


def test_a_worker_that_was_replaced_cannot_fail_the_job_either(harness: CampaignHarness) -> None:
    slow = harness.claim(Stage.CAPTION)
    harness.crash_workers(slow)
    harness.claim(Stage.CAPTION, worker="second")

    completed = harness.fail(slow, FailureKind.INPUT)

    assert completed.failed == {}
    assert harness.states(Stage.CAPTION) == {"running": 4}


def test_a_batch_whose_lease_is_gone_must_not_start_on_the_device(harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.CAPTION)
    assert begin_on_device(harness.database, batch.token)
    harness.crash_workers(batch)

    assert not begin_on_device(harness.database, batch.token)
    assert not begin_on_device(harness.database, "no such token")


def test_a_batch_whose_jobs_were_all_cancelled_must_not_start_on_the_device(harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.CAPTION)
    cancel(harness.database, harness.campaign.id, None)

    assert not begin_on_device(harness.database, batch.token)


def test_jobs_that_are_released_cost_no_attempt(harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.CAPTION)

    assert release_batch(harness.database, batch.token) == 4

    assert [(row["state"], row["attempt_count"], row["lease_token"], row["suspect"]) for row in harness.jobs(Stage.CAPTION)] == [
        ("ready", 0, None, False)
    ] * 4
    assert harness.rows(leases) == []
    assert harness.rows(attempts) == []


def test_some_jobs_of_a_batch_can_be_released_and_the_rest_be_finished(harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.CAPTION)
    back = [job.job_id for job in batch.jobs[:3]]

    assert release_batch(harness.database, batch.token, back) == 3
    assert len(harness.rows(leases)) == 1

    assert harness.finish(batch).done == {batch.jobs[3].job_id}
    assert harness.rows(leases) == []
    assert harness.states(Stage.CAPTION) == {"ready": 3, "done": 1}


def test_a_released_job_cannot_be_committed(harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.CAPTION)
    release_batch(harness.database, batch.token)

    assert harness.finish(batch).done == frozenset()
    assert harness.states(Stage.CAPTION) == {"ready": 4}


def test_a_lost_attempt_is_recorded_with_its_worker(harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.CAPTION, limit=2, worker="gpu7")
    harness.crash_workers(batch)

    rows = harness.rows(attempts)
    assert {(row["outcome"], row["worker_id"], row["number"], row["batch_size"]) for row in rows} == {("lost", "gpu7", 1, 2)}
    assert {row["job_id"] for row in rows} == {job.job_id for job in batch.jobs}
    assert [harness.job(job.job_id)["attempt_count"] for job in batch.jobs] == [1, 1]


def test_jobs_that_had_not_started_are_not_suspects(harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.CAPTION)
    harness.crash_workers(batch)

    assert not any(row["suspect"] for row in harness.jobs(Stage.CAPTION))
    assert len(harness.claim(Stage.CAPTION).jobs) == 4


def test_a_job_that_takes_its_worker_down_alone_three_times_is_poison_and_its_mates_are_innocent(harness: CampaignHarness) -> None:
    mates = harness.claim(Stage.CAPTION)
    guilty = mates.jobs[2].job_id
    crash(harness, mates)
    assert [row["suspect"] for row in harness.jobs(Stage.CAPTION)] == [True] * 4

    for _ in range(20):
        batch = harness.offer(Stage.CAPTION)
        if batch is None:
            break
        assert len(batch.jobs) == 1
        if batch.jobs[0].job_id == guilty:
            crash(harness, batch)
        else:
            harness.finish(batch)

    assert harness.states(Stage.CAPTION) == {"done": 3, "failed": 1}
    poison = harness.job(guilty)
    assert (poison["state"], poison["error_kind"], poison["crashes"], poison["lease_token"]) == ("failed", "poison", 3, None)
    assert "3 times" in poison["error_text"]
    assert poison["finished_at"] is not None
    assert harness.outcomes([guilty]) == {AttemptOutcome.LOST: 4}
    innocent = [row for row in harness.jobs(Stage.CAPTION) if row["id"] != guilty]
    assert [(row["suspect"], row["crashes"]) for row in innocent] == [(False, 0)] * 3


def test_a_crash_among_mates_does_not_count_towards_poison(harness: CampaignHarness) -> None:
    for _ in range(5):
        with harness.database.engine.begin() as connection:
            connection.execute(update(jobs).values(suspect=False))
        crash(harness, harness.claim(Stage.CAPTION))

    assert {row["crashes"] for row in harness.jobs(Stage.CAPTION)} == {0}
    assert harness.states(Stage.CAPTION) == {"ready": 4}


@pytest.mark.parametrize("end", ["cancelled", "handed in"])
def test_a_job_whose_mates_left_the_device_before_the_crash_was_not_alone(harness: CampaignHarness, end: str) -> None:
    batch = harness.claim(Stage.CAPTION)
    assert begin_on_device(harness.database, batch.token)
    last, *mates = (job.job_id for job in batch.jobs)
    if end == "handed in":
        results = [result for result in results_of(harness.database, batch) if result.job_id in mates]
        complete_batch(harness.database, batch, results=results, effort=EFFORT)
    else:
        with harness.database.engine.begin() as connection:
            connection.execute(update(jobs).where(jobs.c.id.in_(mates)).values(state=str(JobState.CANCELLED), lease_token=None))

    harness.crash_workers(batch)

    row = harness.job(last)
    assert (row["state"], row["suspect"], row["crashes"]) == (JobState.READY, True, 0)


def test_two_lone_crashes_are_forgiven_once_the_job_is_done(harness: CampaignHarness) -> None:
    for _ in range(2):
        crash(harness, harness.claim(Stage.CAPTION, limit=1))
    last = harness.claim(Stage.CAPTION)
    assert harness.job(last.jobs[0].job_id)["crashes"] == 2

    harness.finish(last)

    row = harness.job(last.jobs[0].job_id)
    assert (row["state"], row["suspect"], row["crashes"]) == ("done", False, 0)


def test_a_poisoned_job_cannot_be_committed_by_the_worker_that_comes_back(harness: CampaignHarness) -> None:
    for _ in range(2):
        crash(harness, harness.claim(Stage.CAPTION, limit=1))
    third = harness.claim(Stage.CAPTION)
    crash(harness, third)
    assert harness.job(third.jobs[0].job_id)["error_kind"] == "poison"

    assert harness.finish(third).done == frozenset()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_sweeper_is_not_held_up_by_another_one(database: Database, harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.CAPTION)
    harness.expire_leases(batch)
    with harness.database.engine.begin() as other:
        other.execute(text("SET LOCAL lock_timeout = '2s'"))
        other.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))

        assert sweep(harness.database, lease_seconds=0.0).returned == 0

    assert sweep(harness.database, lease_seconds=0.0).returned == 4


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_after_a_restart_of_the_database_nothing_is_swept_for_one_lease(database: Database, harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.CAPTION)
    harness.expire_leases(batch)
    a_year = 365 * 86400.0

    assert sweep(harness.database, lease_seconds=a_year).returned == 0
    assert harness.states(Stage.CAPTION) == {"running": 4}
    assert sweep(harness.database, lease_seconds=0.0).returned == 4


def test_a_lease_whose_jobs_are_all_gone_is_swept_away(harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.CAPTION)
    cancel(harness.database, harness.campaign.id, None)

    swept = harness.crash_workers(batch)

    assert (swept.returned, swept.poisoned) == (0, 0)
    assert harness.rows(leases) == []
    assert harness.states(Stage.CAPTION) == {"cancelled": 4}
    assert harness.rows(attempts) == []


def test_a_job_whose_worker_is_killed_from_outside_runs_alone_and_is_blamed_only_after_many_times(harness: CampaignHarness) -> None:
    def kill(batch: Batch) -> int:
        assert begin_on_device(harness.database, batch.token)
        return return_jobs_of(harness.database, batch.worker_id, end=WorkerEnd.KILLED).poisoned

    assert kill(harness.claim(Stage.CAPTION)) == 0
    assert {(row["suspect"], row["crashes"]) for row in harness.jobs(Stage.CAPTION)} == {(True, 0)}

    # When one of them is alone on the device each time
    poisoned: list[int] = []
    while not any(poisoned):
        batch = harness.claim(Stage.CAPTION)
        assert len(batch.jobs) == 1
        poisoned.append(kill(batch))

    # Then it was given the benefit of the doubt until that could be no chance any more
    assert len(poisoned) == KILLS_ALLOWED + CRASHES_ALLOWED - 1
    assert harness.states(Stage.CAPTION) == {"ready": 3, "failed": 1}


def test_a_worker_that_did_not_make_it_within_its_grace_says_nothing_about_its_jobs(harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.CAPTION)
    assert begin_on_device(harness.database, batch.token)

    return_jobs_of(harness.database, batch.worker_id, end=WorkerEnd.STOPPED)

    assert {(row["suspect"], row["crashes"]) for row in harness.jobs(Stage.CAPTION)} == {(False, 0)}


def test_what_a_crashed_worker_held_beside_the_device_is_suspect_too_and_counts_once_it_is_alone(harness: CampaignHarness) -> None:
    # Given a worker that crashed while it read its originals
    batch = harness.claim(Stage.CAPTION)
    assert return_jobs_of(harness.database, batch.worker_id, end=WorkerEnd.CRASHED).returned == 4
    assert {(row["suspect"], row["crashes"]) for row in harness.jobs(Stage.CAPTION)} == {(True, 0)}

    # When one of them crashes its worker alone, from then on with the mark from its first step
    for _ in range(CRASHES_ALLOWED):
        alone = harness.claim(Stage.CAPTION)
        assert alone.is_suspect
        assert begin_on_device(harness.database, alone.token)
        return_jobs_of(harness.database, alone.worker_id, end=WorkerEnd.CRASHED)

    assert harness.states(Stage.CAPTION) == {"ready": 3, "failed": 1}


def test_what_a_silent_worker_held_beside_the_device_is_not_suspect(harness: CampaignHarness) -> None:
    harness.crash_workers(harness.claim(Stage.CAPTION))

    assert {row["suspect"] for row in harness.jobs(Stage.CAPTION)} == {False}
