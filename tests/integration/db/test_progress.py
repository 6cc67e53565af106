from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from db.clock import now
from db.life.control import cancel, set_paused
from db.life.requeue import Filter, requeue
from db.progress import failures, progress, work_left
from db.tables import attempts
from db.vocabulary import FailureKind, PictureState, Stage
from db.workforce import register_worker, worker_seen
from tests.builders import Trial, artworks_of, trial_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

NO_WORKER = "ready for {}, but no living worker serves it: `paragone work`"
PICTURE = "waiting for their picture: run ingest on the images"
BEHIND = "waiting behind a failed or cancelled job"
BACKING_OFF = "backing off before a retry"


def worker(engine: Engine, stages: Sequence[Stage] = tuple(Stage)) -> None:
    register_worker(engine, worker_id="gpu0", host="here", pid=1, device="cpu", stages=stages, threads=2, versions={})


def test_an_empty_record_has_nothing_to_tell(database: Engine) -> None:
    told = progress(database)

    assert (told.campaigns, told.images, told.workers, told.rates, told.eta_seconds, told.stuck) == ({}, 0, (), {}, None, {})
    assert told.jobs == {"caption": {}, "prompt": {}, "generate": {}, "recaption": {}}
    assert not work_left(database, list(Stage))


def test_counts_are_by_campaign_stage_and_state(database: Engine) -> None:
    artworks_of(database, 2)
    one, two = trial_of(database, name="one"), trial_of(database, name="two", recaption=False)
    one.run_all()
    two.run(Stage.CAPTION)
    two.claim(Stage.PROMPT, "radical", limit=1)

    told = progress(database)

    assert told.campaigns["one"] == {
        "state": "open",
        "jobs": {"caption": {"done": 2}, "prompt": {"done": 4}, "generate": {"done": 4}, "recaption": {"done": 4}},
    }
    assert told.campaigns["two"]["jobs"]["prompt"] == {"ready": 3, "running": 1}
    assert told.jobs["caption"] == {"done": 4}
    assert told.jobs["generate"] == {"done": 4, "waiting": 4}
    assert told.images == 4
    alone = progress(database, two.campaign.id)
    assert (set(alone.campaigns), alone.images, alone.jobs["caption"]) == ({"two"}, 0, {"done": 2})


def test_only_current_images_are_counted(database: Engine) -> None:
    trial = trial_of(database, 2)
    trial.run_all()
    requeue(database, Filter(done=True, stage=Stage.GENERATE))
    trial.run(Stage.GENERATE, mark=" again")

    assert progress(database).images == 4


def test_the_rate_is_that_of_the_last_minutes_and_gives_the_time_left(database: Engine) -> None:
    trial = trial_of(database, 10)
    trial.finish(trial.claim(Stage.CAPTION, limit=4))
    with database.begin() as connection:
        connection.execute(update(attempts).values(ended_at=now() - 8))
    told = progress(database)
    assert told.rates["caption"] == pytest.approx(4 / 8, rel=0.2)
    assert told.eta_seconds is None  # nobody knows the pace of the later stages

    with database.begin() as connection:
        connection.execute(update(attempts).values(ended_at=now() - 1000))
    assert progress(database).rates == {}

    trial.run_all()
    assert progress(database).eta_seconds is None
    artworks_of(database, 2)
    trial.plan()
    told = progress(database)
    assert told.eta_seconds == pytest.approx(
        sum(count / told.rates[stage] for stage, count in zip(Stage, (2, 4, 4, 4), strict=True)), rel=0.5
    )


def test_no_time_is_told_for_jobs_that_can_not_go_on(database: Engine) -> None:
    trial = trial_of(database, 3)
    trial.run_all()
    artworks_of(database, 1)
    trial.plan()
    trial.fail(trial.claim(Stage.CAPTION, limit=1), FailureKind.INPUT, "truncated")

    told = progress(database)

    assert told.rates
    assert told.jobs["prompt"]["waiting"] == 2
    assert told.eta_seconds is None


def test_failures_tell_the_job_its_fault_and_its_artwork(database: Engine) -> None:
    trial = trial_of(database, 3)
    bad = trial.claim(Stage.CAPTION, limit=1)
    trial.fail(bad, FailureKind.INPUT, "truncated after 12 bytes")
    trial.fail(trial.claim(Stage.CAPTION, limit=1), FailureKind.TRANSIENT, "will be tried again")

    (told,) = failures(database)

    assert (told.job, told.stage, told.kind, told.error) == (bad.jobs[0].job_key, "caption", "input", "truncated after 12 bytes")
    assert (told.attempts, told.artwork, told.artwork_id) == (1, "painter-0_work-00000", bad.jobs[0].artwork_id)
    assert failures(database, trial.campaign.id, Stage.CAPTION, "input") == [told]
    assert failures(database, trial.campaign.id + 1) == []
    assert failures(database, stage=Stage.PROMPT) == []
    assert failures(database, kind="oom") == []


@pytest.fixture
def trial(database: Engine) -> Trial:
    return trial_of(database, 1)


def test_ready_and_running_jobs_are_work_and_done_ones_are_not(trial: Trial) -> None:
    assert work_left(trial.engine, [Stage.CAPTION])
    batch = trial.claim(Stage.CAPTION)
    assert work_left(trial.engine, [Stage.CAPTION])
    trial.finish(batch)
    assert not work_left(trial.engine, [Stage.CAPTION])
    trial.run_all()
    assert not work_left(trial.engine, list(Stage))


def test_work_of_an_earlier_stage_is_work_to_come(trial: Trial) -> None:
    assert work_left(trial.engine, [Stage.GENERATE])
    trial.claim(Stage.CAPTION)
    assert work_left(trial.engine, [Stage.GENERATE])


def test_a_job_that_backs_off_is_work(trial: Trial) -> None:
    trial.fail(trial.claim(Stage.CAPTION), FailureKind.TRANSIENT)

    assert trial.offer(Stage.CAPTION) is None
    assert work_left(trial.engine, [Stage.CAPTION])


def test_a_job_whose_worker_was_lost_is_work(trial: Trial) -> None:
    batch = trial.claim(Stage.CAPTION)
    trial.lapse(batch)
    assert work_left(trial.engine, [Stage.CAPTION])
    trial.lose(batch)
    assert work_left(trial.engine, [Stage.CAPTION])


def test_jobs_behind_a_failed_one_are_no_work(trial: Trial) -> None:
    trial.fail(trial.claim(Stage.CAPTION), FailureKind.INPUT)

    assert trial.states(Stage.PROMPT) == {"waiting": 2}
    assert not work_left(trial.engine, list(Stage))


def test_a_paused_job_is_no_work(trial: Trial) -> None:
    set_paused(trial.engine, trial.campaign.id, Stage.CAPTION, paused=True)

    assert not work_left(trial.engine, list(Stage))


def test_a_job_that_waits_for_its_picture_is_no_work(database: Engine) -> None:
    artworks_of(database, 2, picture=PictureState.PLANNED)
    trial = trial_of(database)

    assert not work_left(database, list(Stage))
    worker(database)
    assert progress(database).stuck == {PICTURE: 2}
    assert trial.run_all() == 0


def test_ready_jobs_that_no_living_worker_serves_are_stuck(trial: Trial) -> None:
    worker(trial.engine, [Stage.GENERATE])
    assert progress(trial.engine).stuck == {NO_WORKER.format("caption"): 1}
    worker(trial.engine, [Stage.CAPTION])
    assert progress(trial.engine).stuck == {}


def test_a_pause_is_told_where_work_is_held(trial: Trial) -> None:
    set_paused(trial.engine, trial.campaign.id, None, paused=True)

    assert progress(trial.engine).stuck == {"paused at caption: `paragone resume`": 1}


def test_what_backs_off_and_what_troubles_a_worker_are_told(trial: Trial) -> None:
    worker(trial.engine)
    trial.fail(trial.claim(Stage.CAPTION), FailureKind.TRANSIENT)
    worker_seen(trial.engine, "gpu0", trouble="the model can not be loaded")

    assert progress(trial.engine).stuck == {BACKING_OFF: 1, "the model can not be loaded": 1}
    assert progress(trial.engine, details=False).stuck == {}


def test_what_waits_behind_a_failed_caption_is_counted_once(trial: Trial) -> None:
    worker(trial.engine)
    trial.fail(trial.claim(Stage.CAPTION), FailureKind.INPUT)

    assert progress(trial.engine).stuck == {BEHIND: 6}


def test_what_waits_behind_two_failed_jobs_is_counted_once(trial: Trial) -> None:
    worker(trial.engine)
    trial.run(Stage.CAPTION, Stage.PROMPT)
    for level in ("moderate", "radical"):
        trial.fail(trial.claim(Stage.GENERATE, level), FailureKind.INPUT)
    requeue(trial.engine, Filter(done=True, stage=Stage.CAPTION))
    trial.fail(trial.claim(Stage.CAPTION), FailureKind.INPUT)

    assert trial.states(Stage.RECAPTION) == {"waiting": 2}
    assert progress(trial.engine).stuck == {BEHIND: 2}


def test_what_waits_before_a_cancelled_stage_is_not_behind_it(trial: Trial) -> None:
    worker(trial.engine)
    cancel(trial.engine, trial.campaign.id, Stage.RECAPTION)

    assert progress(trial.engine).stuck == {}
