from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import IntegrityError

import db.jobs.complete
from db.enums import AttemptOutcome, FailureKind, JobState, Stage
from db.jobs.complete import complete_batch
from db.jobs.inputs import load_inputs
from db.results.stage_results import Failure
from db.tables import artworks, attempts, captions, images, jobs, leases, prompts, variations
from tests.builders import harness_of, results_of
from tests.builders.campaign_harness import EFFORT

if TYPE_CHECKING:
    from db.engine import Database


def test_everything_runs_from_the_caption_to_the_recaption(database: Database) -> None:
    trial = harness_of(database, 3)

    assert trial.run_all() == 3 + 3 * 6

    assert {stage: states for stage, states in trial.counts().items() if set(states) != {"done"}} == {}
    assert [row["current"] for row in trial.rows(images)] == [True] * 6
    assert len(trial.rows(captions)) == 3 + 6
    assert trial.rows(leases) == []
    assert {(row["attempt_count"], row["lease_token"], row["error_kind"]) for row in trial.rows(jobs)} == {(1, None, None)}
    assert all(row["finished_at"] >= row["created_at"] for row in trial.rows(jobs))


def test_a_result_is_written_with_what_it_was_made_from(database: Database) -> None:
    trial = harness_of(database, 2)
    trial.run_all()

    seeds = {row["id"]: row for row in trial.rows(variations)}
    texts = {row["id"]: row for row in trial.rows(prompts)}
    for image in trial.rows(images):
        variation, prompt = seeds[image["variation_id"]], texts[image["prompt_id"]]
        assert image["seed"] == variation["seed"]
        assert (image["artwork_id"], prompt["variation_id"]) == (variation["artwork_id"], variation["id"])
        assert image["provenance"] == {"prompt": prompt["text"], "seed": variation["seed"]}
        assert (image["content_box"], image["worker_id"]) == ([0, 8, 64, 56], "first")
        (said,) = trial.rows(captions, captions.c.image_id == image["id"])
        assert (said["variation_id"], said["text"]) == (variation["id"], f"repaint {image['content_hash']}")


def test_a_batch_is_given_the_facts_of_its_jobs_in_its_order(database: Database) -> None:
    trial = harness_of(database, 3)
    trial.run(Stage.CAPTION)
    rows = {row["id"]: row for row in trial.rows(artworks)}
    batch = trial.claim(Stage.PROMPT, "radical")

    found = load_inputs(database, batch)

    assert [work.job_id for work in found] == [job.job_id for job in batch.jobs]
    for work in found:
        artwork = rows[work.artwork_id]
        assert (work.key, work.artist, work.title, work.style) == (artwork["key"], artwork["artist"], artwork["title"], "Baroque")
        assert (work.level, work.caption) == ("radical", f"original {artwork['content_hash']}")


def test_two_campaigns_do_not_see_each_others_captions(database: Database) -> None:
    one, two = harness_of(database, 2, name="one"), harness_of(database, name="two")
    one.run(Stage.CAPTION)
    two.run(Stage.CAPTION, mark=" of two")

    found = load_inputs(database, two.claim(Stage.PROMPT, "moderate"))

    assert len(found) == 2
    assert all(work.caption.endswith(" of two") for work in found)
    assert one.states(Stage.PROMPT) == {"ready": 4}


def test_a_finished_job_readies_only_what_follows_it(database: Database) -> None:
    trial = harness_of(database, 2)

    verdict = trial.finish(trial.claim(Stage.CAPTION, limit=1))
    assert verdict.readied == 2
    assert trial.states(Stage.PROMPT) == {"ready": 2, "waiting": 2}

    trial.finish(trial.claim(Stage.PROMPT, "radical"))
    assert trial.states(Stage.GENERATE) == {"ready": 1, "waiting": 3}
    assert trial.states(Stage.RECAPTION) == {"waiting": 4}

    trial.finish(trial.claim(Stage.GENERATE, "radical"))
    assert trial.states(Stage.RECAPTION) == {"ready": 1, "waiting": 3}


@pytest.mark.parametrize("broken", ["ready_dependents", "delete_if_unused"])
def test_a_fault_in_the_middle_leaves_nothing_written(database: Database, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    trial = harness_of(database, 3)
    trial.run(Stage.CAPTION, Stage.PROMPT)
    batch = trial.claim(Stage.GENERATE, "radical")
    tables = (jobs, attempts, images, leases)
    before = [trial.rows(table) for table in tables]

    def fail(*_: Any) -> int:
        raise RuntimeError("pulled the plug")

    monkeypatch.setattr(db.jobs.complete, broken, fail)
    results = results_of(database, batch)
    bad = Failure(job_id=results.pop().job_id, kind=FailureKind.INPUT, error="bad")
    with pytest.raises(RuntimeError, match="plug"):
        complete_batch(database, batch, results=results, failures=[bad], effort=EFFORT)

    assert [trial.rows(table) for table in tables] == before
    monkeypatch.undo()
    assert len(trial.finish(batch).done) == 3


def test_handing_in_twice_changes_nothing(database: Database) -> None:
    trial = harness_of(database, 2)
    trial.run(Stage.CAPTION, Stage.PROMPT)
    batch = trial.claim(Stage.GENERATE, "radical")
    results = results_of(database, batch)
    complete_batch(database, batch, results=results, effort=EFFORT)
    tables = (jobs, attempts, images, leases)
    before = [trial.rows(table) for table in tables]

    again = complete_batch(database, batch, results=results, effort=EFFORT)

    assert (again.done, again.failed, again.readied) == (frozenset(), {}, 0)
    assert [trial.rows(table) for table in tables] == before


def test_a_batch_may_be_handed_in_piece_by_piece_and_keeps_its_lease_until_the_last(database: Database) -> None:
    trial = harness_of(database, 3)
    batch = trial.claim(Stage.CAPTION)
    results = results_of(database, batch)

    for left, result in zip((1, 1, 0), results, strict=True):
        complete_batch(database, batch, results=[result], effort=EFFORT)
        assert len(trial.rows(leases)) == left

    assert trial.states(Stage.CAPTION) == {"done": 3}


def test_results_and_failures_of_one_batch_go_in_together(database: Database) -> None:
    trial = harness_of(database, 3)
    batch = trial.claim(Stage.CAPTION)
    first, second, third = results_of(database, batch)
    failures = [
        Failure(job_id=second.job_id, kind=FailureKind.INPUT, error="truncated"),
        Failure(job_id=third.job_id, kind=FailureKind.TRANSIENT, error="no answer"),
    ]

    verdict = complete_batch(database, batch, results=[first], failures=failures, effort=EFFORT)

    assert verdict.done == {first.job_id}
    assert verdict.failed[second.job_id] is None
    assert verdict.failed[third.job_id] is not None
    assert trial.states(Stage.CAPTION) == {"done": 1, "failed": 1, "ready": 1}
    assert trial.states(Stage.PROMPT) == {"ready": 2, "waiting": 4}
    assert trial.outcomes() == {AttemptOutcome.DONE: 1, AttemptOutcome.FAILED: 2}
    assert trial.rows(leases) == []


def test_an_attempt_keeps_who_and_how_long_and_how_many_together(database: Database) -> None:
    trial = harness_of(database, 2)
    trial.finish(trial.claim(Stage.CAPTION, worker="gpu3"))

    facts = {(row["worker_id"], row["outcome"], row["number"], row["seconds"], row["batch_size"]) for row in trial.rows(attempts)}
    assert facts == {("gpu3", "done", 1, 0.5, 2)}


def test_no_variation_can_have_two_current_images_even_by_direct_sql(database: Database) -> None:
    trial = harness_of(database, 1)
    trial.run_all()
    twin = {name: value for name, value in trial.rows(images)[0].items() if name != "id"}

    with pytest.raises(IntegrityError), database.engine.begin() as connection:
        connection.execute(images.insert().values(twin))

    with database.engine.begin() as connection:
        connection.execute(images.insert().values({**twin, "current": False}))
    assert len(trial.rows(images)) == 3


@pytest.mark.parametrize("table", [captions, prompts])
def test_no_job_can_have_two_current_texts_even_by_direct_sql(database: Database, table: Any) -> None:
    trial = harness_of(database, 1)
    trial.run_all()
    twin = {name: value for name, value in trial.rows(table)[0].items() if name != "id"}

    with pytest.raises(IntegrityError), database.engine.begin() as connection:
        connection.execute(table.insert().values(twin))


def test_a_job_that_failed_once_is_clean_when_it_is_done(database: Database) -> None:
    trial = harness_of(database, 1)
    batch = trial.claim(Stage.CAPTION)
    trial.fail(batch, FailureKind.TRANSIENT)
    assert trial.job(batch.jobs[0].job_id)["error_kind"] == "transient"
    trial.skip_retry_delays()

    trial.run(Stage.CAPTION)

    row = trial.job(batch.jobs[0].job_id)
    assert (row["state"], row["error_kind"], row["error_text"], row["attempt_count"]) == (JobState.DONE, None, None, 2)
    assert [one["number"] for one in trial.rows(attempts)] == [1, 2]
