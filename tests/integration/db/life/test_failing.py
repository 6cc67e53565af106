from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from db.campaigns import variation_seed
from db.clock import now
from db.life.failing import RETRIES, pause_before_retry
from db.life.requeue import Filter, requeue
from db.tables import artworks, attempts, images, variations
from db.vocabulary import FailureKind, JobState, Stage
from tests.builders import Trial, trial_of

if TYPE_CHECKING:
    from sqlalchemy import Engine


@pytest.fixture
def trial(database: Engine) -> Trial:
    """One artwork, one level, at the door of the generator."""
    trial = trial_of(database, 1, level={"radical": {"backend": "fake-repaint", "strength": 0.5}})
    trial.run(Stage.CAPTION, Stage.PROMPT)
    return trial


def test_a_bad_input_is_not_tried_again(trial: Trial) -> None:
    batch = trial.claim(Stage.GENERATE)

    verdict = trial.fail(batch, FailureKind.INPUT, "truncated file")

    row = trial.job(batch.jobs[0].job_id)
    assert verdict.failed == {row["id"]: None}
    assert (row["state"], row["error_kind"], row["error_text"], row["attempts"]) == ("failed", "input", "truncated file", 1)
    assert row["finished_at"] is not None
    assert trial.offer(Stage.GENERATE) is None
    assert trial.states(Stage.RECAPTION) == {"waiting": 1}


@pytest.mark.parametrize("kind", [FailureKind.TRANSIENT, FailureKind.OOM, FailureKind.DEGENERATE])
def test_other_kinds_are_tried_again_with_growing_pauses_and_then_given_up(trial: Trial, kind: FailureKind) -> None:
    pauses: list[float | None] = []
    while (batch := trial.offer(Stage.GENERATE)) is not None:
        (pause,) = trial.fail(batch, kind).failed.values()
        pauses.append(pause)
        row = trial.job(batch.jobs[0].job_id)
        if pause is not None:
            with trial.engine.connect() as connection:
                until = float(connection.scalar(select(row["not_before"] - now())) or 0)
            assert until == pytest.approx(pause, abs=2)
        trial.settle()

    assert len(pauses) == RETRIES[kind] + 1
    assert pauses == [pause_before_retry(kind, count, job_key=row["job_key"]) for count in range(len(pauses))]
    assert pauses[-1] is None
    waits = [pause for pause in pauses if pause is not None]
    assert waits == sorted(waits)
    assert (row["state"], row["error_kind"], row["attempts"]) == ("failed", str(kind), len(pauses))
    kinds = {(one["outcome"], one["kind"]) for one in trial.rows(attempts, attempts.c.job_id == row["id"])}
    assert kinds == {("failed", str(kind))}


def test_each_kind_of_failure_has_its_own_count(trial: Trial) -> None:
    for kind in (FailureKind.OOM, FailureKind.OOM, FailureKind.OOM, FailureKind.TRANSIENT):
        (pause,) = trial.fail(trial.claim(Stage.GENERATE), kind).failed.values()
        assert pause is not None
        trial.settle()

    assert trial.fail(trial.claim(Stage.GENERATE), FailureKind.OOM).failed.popitem()[1] is None


def test_a_requeue_begins_a_new_round_of_retries(trial: Trial) -> None:
    kind = FailureKind.OOM
    for _ in range(RETRIES[kind] + 1):
        trial.fail(trial.claim(Stage.GENERATE), kind)
        trial.settle()
    assert trial.states(Stage.GENERATE) == {"failed": 1}

    assert requeue(trial.engine, Filter()) == 1

    again = []
    while (batch := trial.offer(Stage.GENERATE)) is not None:
        again.append(trial.fail(batch, kind).failed.popitem()[1])
        trial.settle()
    assert len(again) == RETRIES[kind] + 1
    assert {row["round"] for row in trial.rows(attempts, attempts.c.kind == str(kind))} == {0, 1}
    assert trial.jobs(Stage.GENERATE)[0]["attempts"] == 2 * len(again)


def test_a_degenerate_picture_is_drawn_again_with_a_seed_that_follows_from_the_plan(trial: Trial) -> None:
    (key,) = (row["key"] for row in trial.rows(artworks))
    seeds = []
    for _ in range(RETRIES[FailureKind.DEGENERATE] + 1):
        seeds.append(trial.rows(variations)[0]["seed"])
        trial.fail(trial.claim(Stage.GENERATE), FailureKind.DEGENERATE, "black")

    expected = [
        variation_seed(campaign_seed=11, artwork_key=key, level="radical", ordinal=0, redraws=redraws) for redraws in range(len(seeds))
    ]
    assert seeds == expected
    assert len(set(seeds)) == 4
    (variation,) = trial.rows(variations)
    assert (variation["redraws"], variation["seed"]) == (3, expected[3])


def test_the_redrawn_seed_is_the_one_that_is_painted_with(trial: Trial) -> None:
    trial.fail(trial.claim(Stage.GENERATE), FailureKind.DEGENERATE)
    trial.run(Stage.GENERATE)

    (image,), (variation,) = trial.rows(images), trial.rows(variations)
    assert variation["redraws"] == 1
    assert image["seed"] == variation["seed"]


def test_no_other_failure_touches_the_seed(trial: Trial) -> None:
    before = trial.rows(variations)
    trial.fail(trial.claim(Stage.GENERATE), FailureKind.TRANSIENT)
    trial.settle()
    trial.fail(trial.claim(Stage.GENERATE), FailureKind.OOM)

    assert trial.rows(variations) == before


def test_a_job_that_fails_in_words_is_no_suspect_any_more(trial: Trial) -> None:
    batch = trial.claim(Stage.GENERATE)
    trial.lose(batch)

    assert len(trial.fail(batch, FailureKind.TRANSIENT).failed) == 1

    row = trial.jobs(Stage.GENERATE)[0]
    assert (row["state"], row["lease"], row["suspect"], row["crashes"]) == (JobState.READY, None, False, 0)
    assert row["attempts"] == 2
