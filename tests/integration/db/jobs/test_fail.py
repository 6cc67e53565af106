from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from db.campaigns import variation_seed
from db.engine.clock import now
from db.enums import FailureKind, JobState, Stage
from db.jobs.complete import complete_batch
from db.jobs.fail import RETRIES, RetryPolicy
from db.jobs.lease import begin_on_device
from db.jobs.requeue import JobFilter, requeue
from db.results.stage_results import Failure
from db.tables import artworks, attempts, images, variations
from tests.builders import CampaignHarness, harness_of
from tests.builders.campaign_harness import EFFORT

if TYPE_CHECKING:
    from db.engine import Database


@pytest.fixture
def harness(database: Database) -> CampaignHarness:
    """One artwork, one level, ready for the generator."""
    harness = harness_of(database, 1, level={"radical": {"backend": "fake-repaint", "strength": 0.5}})
    harness.run(Stage.CAPTION, Stage.PROMPT)
    return harness


def test_a_bad_input_is_not_tried_again(harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.GENERATE)

    completed = harness.fail(batch, FailureKind.INPUT, "truncated file")

    row = harness.job(batch.jobs[0].job_id)
    assert completed.failed == {row["id"]: None}
    assert (row["state"], row["error_kind"], row["error_text"], row["attempt_count"]) == ("failed", "input", "truncated file", 1)
    assert row["finished_at"] is not None
    assert harness.offer(Stage.GENERATE) is None
    assert harness.states(Stage.RECAPTION) == {"waiting": 1}


@pytest.mark.parametrize("kind", [FailureKind.TRANSIENT, FailureKind.OOM, FailureKind.DEGENERATE])
def test_other_kinds_of_failure_are_tried_again_with_growing_pauses_and_then_given_up(harness: CampaignHarness, kind: FailureKind) -> None:
    pauses: list[float | None] = []
    while (batch := harness.offer(Stage.GENERATE)) is not None:
        (pause,) = harness.fail(batch, kind).failed.values()
        pauses.append(pause)
        row = harness.job(batch.jobs[0].job_id)
        if pause is not None and pause > 0:
            with harness.database.engine.connect() as connection:
                until = float(connection.scalar(select(row["not_before"] - now())) or 0)
            assert until == pytest.approx(pause, abs=2) if pause else row["not_before"] == 0
        harness.skip_retry_delays()

    assert len(pauses) == RETRIES[kind] + 1
    assert pauses == [RetryPolicy().delay(kind, count, job_key=row["job_key"]) for count in range(len(pauses))]
    assert pauses[-1] is None
    waits = [pause for pause in pauses if pause is not None]
    assert waits == sorted(waits)
    assert (row["state"], row["error_kind"], row["attempt_count"]) == ("failed", str(kind), len(pauses))
    kinds = {(one["outcome"], one["error_kind"]) for one in harness.rows(attempts, attempts.c.job_id == row["id"])}
    assert kinds == {("failed", str(kind))}


def test_who_completes_a_batch_decides_how_long_its_failures_pause(harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.GENERATE)
    failure = Failure(job_id=batch.jobs[0].job_id, kind=FailureKind.TRANSIENT, error="no answer")

    completed = complete_batch(
        harness.database, batch, failures=[failure], effort=EFFORT, retry_policy=RetryPolicy(first_delay_seconds=0.0)
    )

    assert completed.failed == {failure.job_id: 0.0}
    assert [job.job_id for job in harness.claim(Stage.GENERATE).jobs] == [failure.job_id]


def test_each_kind_of_failure_has_its_own_count(harness: CampaignHarness) -> None:
    for kind in (FailureKind.OOM, FailureKind.OOM, FailureKind.OOM, FailureKind.TRANSIENT):
        (pause,) = harness.fail(harness.claim(Stage.GENERATE), kind).failed.values()
        assert pause is not None
        harness.skip_retry_delays()

    assert harness.fail(harness.claim(Stage.GENERATE), FailureKind.OOM).failed.popitem()[1] is None


def test_a_requeue_begins_a_new_round_of_retries(harness: CampaignHarness) -> None:
    kind = FailureKind.OOM
    for _ in range(RETRIES[kind] + 1):
        harness.fail(harness.claim(Stage.GENERATE), kind)
        harness.skip_retry_delays()
    assert harness.states(Stage.GENERATE) == {"failed": 1}

    assert requeue(harness.database, JobFilter()) == 1

    again = []
    while (batch := harness.offer(Stage.GENERATE)) is not None:
        again.append(harness.fail(batch, kind).failed.popitem()[1])
        harness.skip_retry_delays()
    assert len(again) == RETRIES[kind] + 1
    assert {row["round"] for row in harness.rows(attempts, attempts.c.error_kind == str(kind))} == {0, 1}
    assert harness.jobs(Stage.GENERATE)[0]["attempt_count"] == 2 * len(again)


def test_a_degenerate_repaint_is_made_again_with_a_seed_that_follows_from_the_plan(harness: CampaignHarness) -> None:
    (key,) = (row["key"] for row in harness.rows(artworks))
    seeds = []
    for _ in range(RETRIES[FailureKind.DEGENERATE] + 1):
        seeds.append(harness.rows(variations)[0]["seed"])
        harness.fail(harness.claim(Stage.GENERATE), FailureKind.DEGENERATE, "black")

    expected = [
        variation_seed(campaign_seed=11, artwork_key=key, level="radical", ordinal=0, redraws=redraws) for redraws in range(len(seeds))
    ]
    assert seeds == expected
    assert len(set(seeds)) == 4
    (variation,) = harness.rows(variations)
    assert (variation["redraws"], variation["seed"]) == (3, expected[3])


def test_a_repaint_is_made_with_the_redrawn_seed(harness: CampaignHarness) -> None:
    harness.fail(harness.claim(Stage.GENERATE), FailureKind.DEGENERATE)
    harness.run(Stage.GENERATE)

    (image,), (variation,) = harness.rows(images), harness.rows(variations)
    assert variation["redraws"] == 1
    assert image["seed"] == variation["seed"]


def test_no_other_failure_touches_the_seed(harness: CampaignHarness) -> None:
    before = harness.rows(variations)
    harness.fail(harness.claim(Stage.GENERATE), FailureKind.TRANSIENT)
    harness.skip_retry_delays()
    harness.fail(harness.claim(Stage.GENERATE), FailureKind.OOM)

    assert harness.rows(variations) == before


def test_a_suspect_that_fails_with_an_error_stays_one_until_it_is_done(harness: CampaignHarness) -> None:
    for _ in range(2):
        batch = harness.claim(Stage.GENERATE, limit=1)
        begin_on_device(harness.database, batch.token)
        harness.crash_workers(batch)

    assert len(harness.fail(batch, FailureKind.TRANSIENT).failed) == 1

    row = harness.job(batch.jobs[0].job_id)
    assert (row["state"], row["lease_token"], row["suspect"], row["crashes"]) == (JobState.READY, None, True, 2)
    assert row["attempt_count"] == 3
    harness.skip_retry_delays()
    harness.run(Stage.GENERATE)
    row = harness.job(batch.jobs[0].job_id)
    assert (row["state"], row["suspect"], row["crashes"]) == (JobState.DONE, False, 0)


def test_a_job_that_crashes_and_fails_by_turns_is_given_up_as_poison(harness: CampaignHarness) -> None:
    tries = 0
    while (batch := harness.offer(Stage.GENERATE, limit=1)) is not None:
        tries += 1
        begin_on_device(harness.database, batch.token)
        if tries % 2:
            harness.crash_workers(batch)
        else:
            harness.fail(batch, FailureKind.TRANSIENT)
        harness.skip_retry_delays()

    assert tries == 5
    assert [row["error_kind"] for row in harness.jobs(Stage.GENERATE, JobState.FAILED)] == ["poison"]
