from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from db.engine.clock import now
from db.enums import FailureKind, ImageState, Stage
from db.jobs.control import cancel, set_paused
from db.jobs.requeue import JobFilter, requeue
from db.monitoring.failures import failures
from db.monitoring.progress import progress
from db.monitoring.work_left import work_left
from db.monitoring.worker_registry import record_heartbeat, register_worker
from db.tables import attempts
from tests.builders import CampaignHarness, artworks_of, harness_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.engine import Database


NO_WORKER = "ready for {}, but no living worker serves it: `paragone work`"
PICTURE = "waiting for their picture: run ingest on the images"
BEHIND = "waiting behind a failed or cancelled job"
BACKING_OFF = "backing off before a retry"


def worker(database: Database, stages: Sequence[Stage] = tuple(Stage)) -> None:
    register_worker(database, worker_id="gpu0", host="here", pid=1, device="cpu", stages=stages, threads=2, versions={})


def test_an_empty_database_has_no_progress_to_show(database: Database) -> None:
    shown = progress(database)

    assert (shown.campaigns, shown.images, shown.workers, shown.rates, shown.eta_seconds, shown.stuck) == ({}, 0, (), {}, None, {})
    assert shown.jobs == {"caption": {}, "prompt": {}, "generate": {}, "recaption": {}}
    assert not work_left(database, list(Stage))


def test_counts_are_by_campaign_stage_and_state(database: Database) -> None:
    artworks_of(database, 2)
    one, two = harness_of(database, name="one"), harness_of(database, name="two", recaption=False)
    one.run_all()
    two.run(Stage.CAPTION)
    two.claim(Stage.PROMPT, "radical", limit=1)

    shown = progress(database)

    assert shown.campaigns["one"] == {
        "state": "open",
        "jobs": {"caption": {"done": 2}, "prompt": {"done": 4}, "generate": {"done": 4}, "recaption": {"done": 4}},
    }
    assert shown.campaigns["two"]["jobs"]["prompt"] == {"ready": 3, "running": 1}
    assert shown.jobs["caption"] == {"done": 4}
    assert shown.jobs["generate"] == {"done": 4, "waiting": 4}
    assert shown.images == 4
    alone = progress(database, two.campaign.id)
    assert (set(alone.campaigns), alone.images, alone.jobs["caption"]) == ({"two"}, 0, {"done": 2})


def test_only_current_images_are_counted(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.run_all()
    requeue(database, JobFilter(done=True, stage=Stage.GENERATE))
    harness.run(Stage.GENERATE, mark=" again")

    assert progress(database).images == 4


def test_the_rate_is_that_of_the_last_minutes_and_gives_the_time_left(database: Database) -> None:
    harness = harness_of(database, 10)
    harness.finish(harness.claim(Stage.CAPTION, limit=4))
    with database.engine.begin() as connection:
        connection.execute(update(attempts).values(ended_at=now() - 8))
    shown = progress(database)
    assert shown.rates["caption"] == pytest.approx(4 / 8, rel=0.2)
    assert shown.eta_seconds is None  # nobody knows the pace of the later stages

    with database.engine.begin() as connection:
        connection.execute(update(attempts).values(ended_at=now() - 1000))
    assert progress(database).rates == {}

    harness.run_all()
    assert progress(database).eta_seconds is None
    artworks_of(database, 2)
    harness.plan()
    shown = progress(database)
    assert shown.eta_seconds == pytest.approx(
        sum(count / shown.rates[stage] for stage, count in zip(Stage, (2, 4, 4, 4), strict=True)), rel=0.5
    )


def test_of_a_fast_fleet_a_sample_of_the_attempts_tells_the_rate(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.monitoring.rates.SAMPLED_ATTEMPTS", 5)
    harness = harness_of(database, 41)
    harness.finish(harness.claim(Stage.CAPTION, limit=41))
    with database.engine.begin() as connection:
        ids = connection.scalars(select(attempts.c.id).order_by(attempts.c.id)).all()
        for position, attempt in enumerate(ids):  # the first long ago, then one every two seconds
            age = 2 * (len(ids) - position) if position else 1000
            connection.execute(update(attempts).where(attempts.c.id == attempt).values(ended_at=now() - age))
    assert progress(database).rates["caption"] == pytest.approx(40 / 80, rel=0.15)


def test_no_time_left_is_given_for_jobs_that_cannot_go_on(database: Database) -> None:
    harness = harness_of(database, 3)
    harness.run_all()
    artworks_of(database, 1)
    harness.plan()
    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.INPUT, "truncated")

    shown = progress(database)

    assert shown.rates
    assert shown.jobs["prompt"]["waiting"] == 2
    assert shown.eta_seconds is None


def test_a_failure_names_its_job_its_fault_and_its_artwork(database: Database) -> None:
    harness = harness_of(database, 3)
    bad = harness.claim(Stage.CAPTION, limit=1)
    harness.fail(bad, FailureKind.INPUT, "truncated after 12 bytes")
    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.TRANSIENT, "will be tried again")

    (shown,) = failures(database)

    assert (shown.job, shown.stage, shown.kind, shown.error) == (bad.jobs[0].job_key, "caption", "input", "truncated after 12 bytes")
    assert (shown.attempts, shown.artwork, shown.artwork_id) == (1, "painter-0_work-00000", bad.jobs[0].artwork_id)
    assert failures(database, harness.campaign.id, Stage.CAPTION, "input") == [shown]
    assert failures(database, harness.campaign.id + 1) == []
    assert failures(database, stage=Stage.PROMPT) == []
    assert failures(database, kind="oom") == []


@pytest.fixture
def harness(database: Database) -> CampaignHarness:
    return harness_of(database, 1)


def test_ready_and_running_jobs_are_work_left_and_done_ones_are_not(harness: CampaignHarness) -> None:
    assert work_left(harness.database, [Stage.CAPTION])
    batch = harness.claim(Stage.CAPTION)
    assert work_left(harness.database, [Stage.CAPTION])
    harness.finish(batch)
    assert not work_left(harness.database, [Stage.CAPTION])
    harness.run_all()
    assert not work_left(harness.database, list(Stage))


def test_a_job_of_an_earlier_stage_is_work_left(harness: CampaignHarness) -> None:
    assert work_left(harness.database, [Stage.GENERATE])
    harness.claim(Stage.CAPTION)
    assert work_left(harness.database, [Stage.GENERATE])


def test_a_job_that_backs_off_is_work_left(harness: CampaignHarness) -> None:
    harness.fail(harness.claim(Stage.CAPTION), FailureKind.TRANSIENT)

    assert harness.offer(Stage.CAPTION) is None
    assert work_left(harness.database, [Stage.CAPTION])


def test_a_job_whose_worker_was_lost_is_work_left(harness: CampaignHarness) -> None:
    batch = harness.claim(Stage.CAPTION)
    harness.expire_leases(batch)
    assert work_left(harness.database, [Stage.CAPTION])
    harness.crash_workers(batch)
    assert work_left(harness.database, [Stage.CAPTION])


def test_jobs_behind_a_failed_one_are_no_work_left(harness: CampaignHarness) -> None:
    harness.fail(harness.claim(Stage.CAPTION), FailureKind.INPUT)

    assert harness.states(Stage.PROMPT) == {"waiting": 2}
    assert not work_left(harness.database, list(Stage))


def test_a_paused_job_is_no_work_left(harness: CampaignHarness) -> None:
    set_paused(harness.database, harness.campaign.id, Stage.CAPTION, paused=True)

    assert not work_left(harness.database, list(Stage))


def test_a_job_that_waits_for_its_original_is_no_work_left(database: Database) -> None:
    artworks_of(database, 2, picture=ImageState.PLANNED)
    harness = harness_of(database)

    assert not work_left(database, list(Stage))
    worker(database)
    assert progress(database).stuck == {PICTURE: 2}
    assert harness.run_all() == 0


def test_ready_jobs_that_no_living_worker_serves_are_stuck(harness: CampaignHarness) -> None:
    worker(harness.database, [Stage.GENERATE])
    assert progress(harness.database).stuck == {NO_WORKER.format("caption"): 1}
    worker(harness.database, [Stage.CAPTION])
    assert progress(harness.database).stuck == {}


def test_a_pause_is_shown_as_stuck_where_it_holds_jobs(harness: CampaignHarness) -> None:
    set_paused(harness.database, harness.campaign.id, None, paused=True)

    assert progress(harness.database).stuck == {"paused at caption: `paragone resume`": 1}


def test_the_jobs_of_one_campaign_are_not_held_up_by_the_pause_or_the_end_of_another(harness: CampaignHarness) -> None:
    other, gone = harness_of(harness.database, name="other"), harness_of(harness.database, name="gone")
    set_paused(harness.database, other.campaign.id, Stage.CAPTION, paused=True)
    cancel(harness.database, gone.campaign.id, None)

    held, unserved = "paused at caption: `paragone resume`", NO_WORKER.format("caption")
    assert progress(harness.database).stuck == {held: 1, unserved: 1}
    assert progress(harness.database, harness.campaign.id).stuck == {unserved: 1}
    worker(harness.database)
    assert progress(harness.database).stuck == {held: 1}


def test_jobs_that_back_off_and_troubles_of_a_worker_are_shown_as_stuck(harness: CampaignHarness) -> None:
    worker(harness.database)
    harness.fail(harness.claim(Stage.CAPTION), FailureKind.TRANSIENT)
    record_heartbeat(harness.database, "gpu0", trouble="the model cannot be loaded")

    assert progress(harness.database).stuck == {BACKING_OFF: 1, "the model cannot be loaded": 1}
    assert progress(harness.database, details=False).stuck == {}


def test_jobs_behind_a_failed_caption_are_stuck_and_counted_once(harness: CampaignHarness) -> None:
    worker(harness.database)
    harness.fail(harness.claim(Stage.CAPTION), FailureKind.INPUT)

    assert progress(harness.database).stuck == {BEHIND: 6}


def test_jobs_behind_two_failed_jobs_are_stuck_and_counted_once(harness: CampaignHarness) -> None:
    worker(harness.database)
    harness.run(Stage.CAPTION, Stage.PROMPT)
    for level in ("moderate", "radical"):
        harness.fail(harness.claim(Stage.GENERATE, level), FailureKind.INPUT)
    requeue(harness.database, JobFilter(done=True, stage=Stage.CAPTION))
    harness.fail(harness.claim(Stage.CAPTION), FailureKind.INPUT)

    assert harness.states(Stage.RECAPTION) == {"waiting": 2}
    assert progress(harness.database).stuck == {BEHIND: 2}


def test_jobs_before_a_cancelled_stage_are_not_stuck_behind_it(harness: CampaignHarness) -> None:
    worker(harness.database)
    cancel(harness.database, harness.campaign.id, Stage.RECAPTION)

    assert progress(harness.database).stuck == {}
