from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, update

import db.jobs.requeue
from db.campaigns import variation_seed
from db.engine.clock import now
from db.enums import FailureKind, JobState, Stage
from db.errors import CampaignCancelled
from db.jobs.complete import complete_batch
from db.jobs.control import cancel
from db.jobs.requeue import JobFilter, count_requeueable, requeue
from db.monitoring.failures import failures
from db.tables import artworks, captions, images, jobs, prompts, variations
from tests.builders import CampaignHarness, artworks_of, harness_of, results_of
from tests.builders.campaign_harness import EFFORT
from tests.builders.meeting import meanwhile

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from db.engine import Database

ONE_LEVEL: Any = {"level": {"radical": {"backend": "fake-repaint", "strength": 0.5}}}


@pytest.fixture
def done(database: Database) -> CampaignHarness:
    """Two artworks with one finished repaint each."""
    harness = harness_of(database, 2, **ONE_LEVEL)
    harness.run_all()
    return harness


@pytest.fixture
def failed(database: Database) -> CampaignHarness:
    """Three captions that failed, each in its own way and style."""
    for style in ("Baroque", "Cubism", "Rococo"):
        artworks_of(database, 1, style=style)
    harness = harness_of(database, **ONE_LEVEL)
    ways = [(FailureKind.INPUT, "Truncated file"), (FailureKind.INPUT, "100% broken"), (FailureKind.POISON, "took its worker down")]
    for kind, error in ways:
        harness.fail(harness.claim(Stage.CAPTION, limit=1), kind, error)
    return harness


def current(harness: CampaignHarness, table: Any) -> list[RowMapping]:
    return harness.rows(table, table.c.current)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (JobFilter(), {0, 1, 2}),
        (JobFilter(kind=FailureKind.INPUT), {0, 1}),
        (JobFilter(kind=FailureKind.OOM), set()),
        (JobFilter(error="truncated"), {0}),
        (JobFilter(error="0% b"), {1}),
        (JobFilter(error="%"), {1}),
        (JobFilter(error="_"), set()),
        (JobFilter(style="Rococo"), {2}),
        (JobFilter(stage=Stage.CAPTION), {0, 1, 2}),
        (JobFilter(stage=Stage.PROMPT), set()),
        (JobFilter(older_than=3600), set()),
        (JobFilter(older_than=-60), {0, 1, 2}),
        (JobFilter(campaign_id=-1), set()),
        (JobFilter(kind=FailureKind.INPUT, style="Cubism"), {1}),
        (JobFilter(done=True), set()),
    ],
)
def test_each_job_filter_chooses_its_jobs_and_no_other(failed: CampaignHarness, chosen: JobFilter, expected: set[int]) -> None:
    ids = [row["id"] for row in failed.jobs(Stage.CAPTION)]

    assert requeue(failed.database, chosen) == len(expected)

    assert {row["id"] for row in failed.jobs(Stage.CAPTION, JobState.READY)} == {ids[position] for position in expected}


def test_jobs_of_one_artwork_can_be_requeued(failed: CampaignHarness) -> None:
    row = failed.jobs(Stage.CAPTION)[1]

    assert requeue(failed.database, JobFilter(artwork_id=row["artwork_id"])) == 1

    assert failed.job(row["id"])["state"] == JobState.READY


def test_jobs_of_one_campaign_can_be_requeued(failed: CampaignHarness) -> None:
    other = harness_of(failed.database, name="other", **ONE_LEVEL)
    other.fail(other.claim(Stage.CAPTION), FailureKind.INPUT)

    assert requeue(failed.database, JobFilter(campaign_id=other.campaign.id)) == 3

    assert other.states(Stage.CAPTION) == {"ready": 3}
    assert failed.states(Stage.CAPTION) == {"failed": 3}


def test_a_job_filters_age_counts_from_the_jobs_end(failed: CampaignHarness) -> None:
    old = failed.jobs(Stage.CAPTION)[0]["id"]
    with failed.database.engine.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == old).values(finished_at=now() - 7200))

    assert requeue(failed.database, JobFilter(older_than=3600)) == 1
    assert failed.job(old)["state"] == JobState.READY


def test_a_requeued_job_begins_clean(failed: CampaignHarness) -> None:
    requeue(failed.database, JobFilter())

    for row in failed.jobs(Stage.CAPTION):
        assert (row["state"], row["round"], row["error_kind"], row["error_text"], row["finished_at"]) == ("ready", 1, None, None, None)
        assert (row["suspect"], row["crashes"], row["lease_token"], row["not_before"]) == (False, 0, None, 0)
    assert failures(failed.database) == []
    assert failed.run_all() == 3 * 4


def test_a_dry_run_counts_and_changes_nothing(done: CampaignHarness, failed: CampaignHarness) -> None:
    before = done.rows(jobs), done.rows(variations)

    assert count_requeueable(failed.database, JobFilter(kind=FailureKind.INPUT)).total == 2
    assert count_requeueable(done.database, JobFilter(done=True, stage=Stage.GENERATE)).total == 2

    assert (done.rows(jobs), done.rows(variations)) == before


def test_a_requeue_chooses_failed_or_done_jobs_and_nothing_else(database: Database) -> None:
    harness = harness_of(database, 4, **ONE_LEVEL)
    harness.finish(harness.claim(Stage.CAPTION, limit=1))
    harness.claim(Stage.CAPTION, limit=1)
    before = harness.rows(jobs)

    assert requeue(database, JobFilter()) == 0
    assert harness.rows(jobs) == before
    assert requeue(database, JobFilter(done=True)) == 1
    assert harness.states(Stage.CAPTION) == {"ready": 3, "running": 1}


def test_the_old_result_stays_current_until_the_new_one_is_committed(done: CampaignHarness) -> None:
    old = current(done, images)
    assert requeue(done.database, JobFilter(done=True, stage=Stage.GENERATE)) == 2

    assert current(done, images) == old
    assert done.states(Stage.RECAPTION) == {"done": 2}
    batch = done.claim(Stage.GENERATE)
    assert current(done, images) == old
    done.finish(batch, mark=" again")

    fresh = current(done, images)
    assert len(fresh) == 2
    assert {row["content_hash"] for row in fresh}.isdisjoint(row["content_hash"] for row in old)
    assert len(done.rows(images)) == 4
    assert done.states(Stage.RECAPTION) == {"ready": 2}
    assert [row for row in current(done, captions) if row["image_id"] is not None] == []
    done.run_all()
    assert {row["image_id"] for row in current(done, captions)} == {None, *(row["id"] for row in fresh)}


def test_what_was_made_from_a_superseded_caption_is_made_again_from_the_new_one(done: CampaignHarness) -> None:
    chosen = done.rows(artworks)[0]["id"]
    untouched = [row for row in current(done, images) if row["artwork_id"] != chosen]
    requeue(done.database, JobFilter(done=True, artwork_id=chosen, stage=Stage.CAPTION))

    assert done.run(Stage.CAPTION, mark=" anew") == 1
    assert (done.states(Stage.PROMPT), done.states(Stage.GENERATE)) == ({"done": 1, "ready": 1}, {"done": 1, "waiting": 1})
    assert [row["artwork_id"] for row in current(done, images)] == [row["artwork_id"] for row in untouched]
    assert done.run_all() == 3

    for table, count in ((prompts, 3), (images, 3), (captions, 6)):
        assert len(done.rows(table)) == count
    texts = {row["id"]: row["text"] for row in current(done, prompts)}
    (image,) = (row for row in current(done, images) if row["artwork_id"] == chosen)
    assert texts[image["prompt_id"]].endswith(" anew, radical")
    assert [row for row in current(done, images) if row["artwork_id"] != chosen] == untouched
    assert done.counts() == {str(stage): {"done": 2} for stage in Stage}


def test_a_successor_that_runs_during_a_supersession_is_fenced(done: CampaignHarness) -> None:
    requeue(done.database, JobFilter(done=True, stage=Stage.GENERATE))
    stale = done.claim(Stage.GENERATE, worker="paints from the old prompt")
    requeue(done.database, JobFilter(done=True, stage=Stage.PROMPT))
    done.run(Stage.PROMPT, mark=" anew")

    completed = done.finish(stale)

    assert completed.done == frozenset()
    assert done.states(Stage.GENERATE) == {"ready": 2}
    assert current(done, images) == []
    done.run_all()
    texts = {row["id"]: row["text"] for row in current(done, prompts)}
    assert len(current(done, images)) == 2
    assert all(texts[row["prompt_id"]].endswith(" anew") for row in current(done, images))


def test_of_a_chain_of_jobs_only_the_first_is_requeued(done: CampaignHarness) -> None:
    assert requeue(done.database, JobFilter(done=True)) == 2

    assert done.states(Stage.CAPTION) == {"ready": 2}
    assert {stage: states for stage, states in done.counts().items() if stage != "caption"} == {
        "prompt": {"done": 2},
        "generate": {"done": 2},
        "recaption": {"done": 2},
    }
    assert done.run_all(mark=" anew") == 2 * 4
    assert done.counts() == {str(stage): {"done": 2} for stage in Stage}


def test_chains_of_other_variations_are_not_shortened(database: Database) -> None:
    harness = harness_of(database, 1)
    harness.run(Stage.CAPTION)
    harness.fail(harness.claim(Stage.PROMPT, "radical"), FailureKind.INPUT)
    harness.run(Stage.PROMPT)
    harness.fail(harness.claim(Stage.GENERATE, "moderate"), FailureKind.INPUT)

    assert requeue(database, JobFilter()) == 2

    assert harness.states(Stage.PROMPT) == {"ready": 1, "done": 1}
    assert harness.states(Stage.GENERATE) == {"ready": 1, "waiting": 1}


def test_a_redone_job_that_fails_leaves_the_old_result_current(done: CampaignHarness) -> None:
    old = current(done, images)
    requeue(done.database, JobFilter(done=True, stage=Stage.GENERATE))

    done.fail(done.claim(Stage.GENERATE), FailureKind.INPUT)

    assert current(done, images) == old
    assert done.states(Stage.GENERATE) == {"failed": 2}
    assert done.states(Stage.RECAPTION) == {"done": 2}


def test_a_superseded_job_has_all_its_retries_again(done: CampaignHarness) -> None:
    requeue(done.database, JobFilter(done=True, stage=Stage.GENERATE))
    while (batch := done.offer(Stage.GENERATE)) is not None:
        done.fail(batch, FailureKind.OOM)
        done.skip_retry_delays()
    assert done.states(Stage.GENERATE) == {"failed": 2}
    requeue(done.database, JobFilter(done=True, stage=Stage.PROMPT))
    done.run(Stage.PROMPT, mark=" anew")

    completed = done.fail(done.claim(Stage.GENERATE), FailureKind.OOM)

    assert None not in completed.failed.values()


def test_a_superseded_suspect_is_no_suspect_any_more(done: CampaignHarness) -> None:
    requeue(done.database, JobFilter(done=True, stage=Stage.GENERATE))
    with done.database.engine.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.stage == "generate").values(suspect=True, crashes=2))
    requeue(done.database, JobFilter(done=True, stage=Stage.PROMPT))

    done.run(Stage.PROMPT, mark=" anew")

    assert {(row["state"], row["suspect"], row["crashes"]) for row in done.jobs(Stage.GENERATE)} == {("ready", False, 0)}


def test_a_cancelled_successor_stays_cancelled(database: Database) -> None:
    harness = harness_of(database, 1, **ONE_LEVEL)
    harness.run(Stage.CAPTION, Stage.PROMPT)
    cancel(database, harness.campaign.id, Stage.GENERATE)
    requeue(database, JobFilter(done=True, stage=Stage.CAPTION))

    assert harness.run_all(mark=" anew") == 2

    assert harness.states(Stage.GENERATE) == {"cancelled": 1}


@pytest.mark.parametrize("stage", [Stage.GENERATE, Stage.PROMPT, Stage.CAPTION])
def test_a_new_seed_is_the_next_of_the_plan_and_the_old_repaint_keeps_its_own(done: CampaignHarness, stage: Stage) -> None:
    keys = {row["id"]: row["key"] for row in done.rows(artworks)}
    old = current(done, images)

    requeue(done.database, JobFilter(done=True, stage=stage), new_seed=True)

    for row in done.rows(variations):
        following = variation_seed(campaign_seed=11, artwork_key=keys[row["artwork_id"]], level="radical", ordinal=0, redraws=1)
        assert (row["redraws"], row["seed"]) == (1, following)
    assert current(done, images) == old
    done.run_all()
    seeds = {row["id"]: row["seed"] for row in done.rows(variations)}
    assert all(row["seed"] == seeds[row["variation_id"]] for row in current(done, images))
    assert {row["seed"] for row in current(done, images)}.isdisjoint(row["seed"] for row in old)


def test_a_caption_of_a_repaint_asks_for_no_new_seed(done: CampaignHarness) -> None:
    before = done.rows(variations)

    assert requeue(done.database, JobFilter(done=True, stage=Stage.RECAPTION), new_seed=True) == 2

    assert done.rows(variations) == before


def test_a_caption_of_one_campaign_redraws_no_variation_of_another(done: CampaignHarness) -> None:
    other = harness_of(done.database, name="other", **ONE_LEVEL)
    requeue(done.database, JobFilter(done=True, campaign_id=done.campaign.id), new_seed=True)

    assert {row["redraws"] for row in other.rows(variations, variations.c.campaign_id == other.campaign.id)} == {0}
    assert {row["redraws"] for row in other.rows(variations, variations.c.campaign_id == done.campaign.id)} == {1}


def test_a_requeue_without_new_seed_keeps_the_seed(done: CampaignHarness) -> None:
    before = done.rows(variations)
    requeue(done.database, JobFilter(done=True))

    assert done.rows(variations) == before


@pytest.mark.parametrize("first", ["repaint", "prompt"])
def test_a_repaint_that_is_committed_while_its_prompt_is_superseded_does_not_stay_current(database: Database, first: str) -> None:
    done = harness_of(database, 2, recaption=False, **ONE_LEVEL)
    done.run_all()
    requeue(done.database, JobFilter(done=True, stage=Stage.GENERATE))
    repaint = done.claim(Stage.GENERATE)
    requeue(done.database, JobFilter(done=True, stage=Stage.PROMPT))
    prompt = done.claim(Stage.PROMPT)
    made = {batch.stage: (batch, results_of(done.database, batch, " anew")) for batch in (repaint, prompt)}

    def complete_late(stage: Stage) -> None:
        batch, results = made[stage]
        complete_batch(done.database, batch, results=results, effort=EFFORT)

    order = (Stage.GENERATE, Stage.PROMPT) if first == "repaint" else (Stage.PROMPT, Stage.GENERATE)
    with meanwhile(done.database, lambda: complete_late(order[1])):
        complete_late(order[0])

    assert current(done, images) == []
    assert done.states(Stage.GENERATE) == {"ready": 2}
    done.run_all()
    assert {row["prompt_id"] for row in current(done, images)} == {row["id"] for row in current(done, prompts)}


def test_jobs_of_cancelled_campaigns_are_not_requeued(failed: CampaignHarness) -> None:
    other = harness_of(failed.database, name="other", **ONE_LEVEL)
    other.fail(other.claim(Stage.CAPTION), FailureKind.INPUT)
    cancel(failed.database, failed.campaign.id, None)

    counted = count_requeueable(failed.database, JobFilter())
    assert (counted.total, counted.cancelled) == (3, 3)
    assert requeue(failed.database, JobFilter()) == 3

    assert failed.states(Stage.CAPTION) == {"failed": 3}
    assert other.states(Stage.CAPTION) == {"ready": 3}
    assert requeue(failed.database, JobFilter(campaign_id=failed.campaign.id)) == 0


def test_a_campaign_that_is_cancelled_while_it_is_requeued_has_nothing_to_claim(
    failed: CampaignHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.jobs.requeue, "AT_ONCE", 1)
    database, campaign_id = failed.database, failed.campaign.id

    with meanwhile(database, lambda: cancel(database, campaign_id, None)), suppress(CampaignCancelled):
        requeue(database, JobFilter(campaign_id=campaign_id))

    assert set(failed.states(Stage.CAPTION)) <= {"failed", "cancelled"}
    assert failed.states(Stage.PROMPT) == {"cancelled": 3}


@pytest.mark.parametrize("new_seed", [False, True])
def test_a_requeue_in_slices_is_that_of_one_go(database: Database, new_seed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    artworks_of(database, 7)
    settings: Any = {"variations": 2, **ONE_LEVEL}
    whole, sliced = (harness_of(database, name=name, **settings) for name in ("whole", "sliced"))
    for harness in (whole, sliced):
        harness.fail(harness.claim(Stage.CAPTION, limit=2), FailureKind.INPUT)
        harness.run(Stage.CAPTION)
        harness.fail(harness.claim(Stage.PROMPT, limit=3), FailureKind.INPUT)
        harness.run(Stage.PROMPT)
        harness.fail(harness.claim(Stage.GENERATE, limit=4), FailureKind.INPUT)
        harness.run_all()
    requeue(database, JobFilter(campaign_id=whole.campaign.id), new_seed=new_seed)
    requeue(database, JobFilter(campaign_id=whole.campaign.id, done=True), new_seed=new_seed)
    monkeypatch.setattr(db.jobs.requeue, "AT_ONCE", 2)

    assert requeue(database, JobFilter(campaign_id=sliced.campaign.id), new_seed=new_seed) == 2 + 3 + 4
    requeue(database, JobFilter(campaign_id=sliced.campaign.id, done=True), new_seed=new_seed)

    def found(harness: CampaignHarness) -> list[Any]:
        seeds = [row["seed"] for row in harness.rows(variations, variations.c.campaign_id == harness.campaign.id)]
        return [harness.counts(), seeds]

    assert found(whole) == found(sliced)


def test_another_seed_for_many_takes_few_statements(database: Database) -> None:
    harness = harness_of(database, 40)
    harness.run_all()
    executed: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        executed.append(statement)

    event.listen(database.engine, "before_cursor_execute", count)
    requeued = requeue(database, JobFilter(done=True, stage=Stage.GENERATE), new_seed=True)
    event.remove(database.engine, "before_cursor_execute", count)

    assert (requeued, len(executed) < 20) == (80, True)
    assert {row["redraws"] for row in harness.rows(variations)} == {1}
