from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import IntegrityError

import db.jobs.complete
from db.enums import AttemptOutcome, FailureKind, JobState, Stage
from db.jobs.complete import complete_batch
from db.jobs.inputs import PromptInput, load_inputs
from db.results.stage_results import Failure
from db.tables import artworks, attempts, captions, images, jobs, leases, prompts, variations
from tests.builders import harness_of, results_of
from tests.builders.campaign_harness import EFFORT

if TYPE_CHECKING:
    from db.engine import Database


def test_everything_runs_from_the_caption_to_the_recaption(database: Database) -> None:
    harness = harness_of(database, 3)

    assert harness.run_all() == 3 + 3 * 6

    assert {stage: states for stage, states in harness.counts().items() if set(states) != {"done"}} == {}
    assert [row["current"] for row in harness.rows(images)] == [True] * 6
    assert len(harness.rows(captions)) == 3 + 6
    assert harness.rows(leases) == []
    assert {(row["attempt_count"], row["lease_token"], row["error_kind"]) for row in harness.rows(jobs)} == {(1, None, None)}
    assert all(row["finished_at"] >= row["created_at"] for row in harness.rows(jobs))


def test_a_result_is_written_with_what_it_was_made_from(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.run_all()

    seeds = {row["id"]: row for row in harness.rows(variations)}
    texts = {row["id"]: row for row in harness.rows(prompts)}
    for image in harness.rows(images):
        variation, prompt = seeds[image["variation_id"]], texts[image["prompt_id"]]
        assert image["seed"] == variation["seed"]
        assert (image["artwork_id"], prompt["variation_id"]) == (variation["artwork_id"], variation["id"])
        assert image["provenance"] == {"prompt": prompt["text"], "seed": variation["seed"]}
        assert (image["content_box"], image["worker_id"]) == ([0, 8, 64, 56], "first")
        (recaption,) = harness.rows(captions, captions.c.image_id == image["id"])
        assert (recaption["variation_id"], recaption["text"]) == (variation["id"], f"repaint {image['content_hash']}")


def test_a_batch_is_given_the_facts_of_its_jobs_in_its_order(database: Database) -> None:
    harness = harness_of(database, 3)
    harness.run(Stage.CAPTION)
    rows = {row["id"]: row for row in harness.rows(artworks)}
    batch = harness.claim(Stage.PROMPT, "radical")

    found = load_inputs(database, batch)

    assert [work.job_id for work in found] == [job.job_id for job in batch.jobs]
    for work in found:
        assert isinstance(work, PromptInput)
        artwork = rows[work.artwork_id]
        assert (work.key, work.artist, work.title, work.style) == (artwork["key"], artwork["artist"], artwork["title"], "Baroque")
        assert (work.level, work.caption) == ("radical", f"original {artwork['content_hash']}")


def test_two_campaigns_do_not_see_each_others_captions(database: Database) -> None:
    one, two = harness_of(database, 2, name="one"), harness_of(database, name="two")
    one.run(Stage.CAPTION)
    two.run(Stage.CAPTION, mark=" of two")

    found = load_inputs(database, two.claim(Stage.PROMPT, "moderate"))

    assert len(found) == 2
    assert all(isinstance(work, PromptInput) and work.caption.endswith(" of two") for work in found)
    assert one.states(Stage.PROMPT) == {"ready": 4}


def test_a_finished_job_readies_only_what_follows_it(database: Database) -> None:
    harness = harness_of(database, 2)

    completed = harness.finish(harness.claim(Stage.CAPTION, limit=1))
    assert completed.readied == 2
    assert harness.states(Stage.PROMPT) == {"ready": 2, "waiting": 2}

    harness.finish(harness.claim(Stage.PROMPT, "radical"))
    assert harness.states(Stage.GENERATE) == {"ready": 1, "waiting": 3}
    assert harness.states(Stage.RECAPTION) == {"waiting": 4}

    harness.finish(harness.claim(Stage.GENERATE, "radical"))
    assert harness.states(Stage.RECAPTION) == {"ready": 1, "waiting": 3}


@pytest.mark.parametrize("broken", ["ready_dependents", "delete_if_unused"])
def test_a_fault_while_completing_a_batch_leaves_nothing_written(database: Database, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    harness = harness_of(database, 3)
    harness.run(Stage.CAPTION, Stage.PROMPT)
    batch = harness.claim(Stage.GENERATE, "radical")
    tables = (jobs, attempts, images, leases)
    before = [harness.rows(table) for table in tables]

    def fail(*_: Any) -> int:
        raise RuntimeError("pulled the plug")

    monkeypatch.setattr(db.jobs.complete, broken, fail)
    results = results_of(database, batch)
    bad = Failure(job_id=results.pop().job_id, kind=FailureKind.INPUT, error="bad")
    with pytest.raises(RuntimeError, match="plug"):
        complete_batch(database, batch, results=results, failures=[bad], effort=EFFORT)

    assert [harness.rows(table) for table in tables] == before
    monkeypatch.undo()
    assert len(harness.finish(batch).done) == 3


def test_completing_a_batch_twice_changes_nothing(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.run(Stage.CAPTION, Stage.PROMPT)
    batch = harness.claim(Stage.GENERATE, "radical")
    results = results_of(database, batch)
    complete_batch(database, batch, results=results, effort=EFFORT)
    tables = (jobs, attempts, images, leases)
    before = [harness.rows(table) for table in tables]

    again = complete_batch(database, batch, results=results, effort=EFFORT)

    assert (again.done, again.failed, again.readied) == (frozenset(), {}, 0)
    assert [harness.rows(table) for table in tables] == before


def test_a_batch_may_be_completed_piece_by_piece_and_keeps_its_lease_until_the_last(database: Database) -> None:
    harness = harness_of(database, 3)
    batch = harness.claim(Stage.CAPTION)
    results = results_of(database, batch)

    for left, result in zip((1, 1, 0), results, strict=True):
        complete_batch(database, batch, results=[result], effort=EFFORT)
        assert len(harness.rows(leases)) == left

    assert harness.states(Stage.CAPTION) == {"done": 3}


def test_results_and_failures_of_one_batch_are_committed_together(database: Database) -> None:
    harness = harness_of(database, 3)
    batch = harness.claim(Stage.CAPTION)
    first, second, third = results_of(database, batch)
    failures = [
        Failure(job_id=second.job_id, kind=FailureKind.INPUT, error="truncated"),
        Failure(job_id=third.job_id, kind=FailureKind.TRANSIENT, error="no answer"),
    ]

    completed = complete_batch(database, batch, results=[first], failures=failures, effort=EFFORT)

    assert completed.done == {first.job_id}
    assert completed.failed[second.job_id] is None
    assert completed.failed[third.job_id] is not None
    assert harness.states(Stage.CAPTION) == {"done": 1, "failed": 1, "ready": 1}
    assert harness.states(Stage.PROMPT) == {"ready": 2, "waiting": 4}
    assert harness.outcomes() == {AttemptOutcome.DONE: 1, AttemptOutcome.FAILED: 2}
    assert harness.rows(leases) == []


def test_an_attempt_keeps_who_and_how_long_and_how_many_together(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.finish(harness.claim(Stage.CAPTION, worker="gpu3"))

    facts = {(row["worker_id"], row["outcome"], row["number"], row["seconds"], row["batch_size"]) for row in harness.rows(attempts)}
    assert facts == {("gpu3", "done", 1, 0.5, 2)}


def test_no_variation_can_have_two_current_images_even_by_direct_sql(database: Database) -> None:
    harness = harness_of(database, 1)
    harness.run_all()
    twin = {name: value for name, value in harness.rows(images)[0].items() if name != "id"}

    with pytest.raises(IntegrityError), database.engine.begin() as connection:
        connection.execute(images.insert().values(twin))

    with database.engine.begin() as connection:
        connection.execute(images.insert().values({**twin, "current": False}))
    assert len(harness.rows(images)) == 3


@pytest.mark.parametrize("table", [captions, prompts])
def test_no_job_can_have_two_current_texts_even_by_direct_sql(database: Database, table: Any) -> None:
    harness = harness_of(database, 1)
    harness.run_all()
    twin = {name: value for name, value in harness.rows(table)[0].items() if name != "id"}

    with pytest.raises(IntegrityError), database.engine.begin() as connection:
        connection.execute(table.insert().values(twin))


def test_a_job_that_failed_once_is_clean_when_it_is_done(database: Database) -> None:
    harness = harness_of(database, 1)
    batch = harness.claim(Stage.CAPTION)
    harness.fail(batch, FailureKind.TRANSIENT)
    assert harness.job(batch.jobs[0].job_id)["error_kind"] == "transient"
    harness.skip_retry_delays()

    harness.run(Stage.CAPTION)

    row = harness.job(batch.jobs[0].job_id)
    assert (row["state"], row["error_kind"], row["error_text"], row["attempt_count"]) == (JobState.DONE, None, None, 2)
    assert [one["number"] for one in harness.rows(attempts)] == [1, 2]
