"""Scores are written once for each image and name, and what lacks one is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import select, update

from db.enums import Stage
from db.jobs.requeue import JobFilter, requeue
from db.quality import (
    FilterCount,
    RepaintScore,
    ScoreSource,
    count_fitting,
    count_repaints,
    repaints_to_score,
    score_summaries,
    scored_revision,
    scores_of,
    write_scores,
)
from db.tables import artworks, captions, images, scores
from tests.builders import harness_of

if TYPE_CHECKING:
    from db.engine import Database
    from tests.builders import CampaignHarness

SOURCE = ScoreSource(scorer="similarity", model="some/clip", revision="r1")


@pytest.fixture
def done(database: Database) -> CampaignHarness:
    """Three artworks with two repaints each."""
    harness = harness_of(database, 3)
    harness.run_all()
    return harness


def ids(harness: CampaignHarness) -> list[int]:
    return [row["id"] for row in harness.rows(images) if row["current"]]


def lacking(harness: CampaignHarness, source: ScoreSource = SOURCE) -> list[int]:
    return [one.image_id for some in repaints_to_score(harness.database, harness.campaign.id, lacking=source) for one in some]


def score(harness: CampaignHarness, values: dict[int, float], source: ScoreSource = SOURCE) -> None:
    write_scores(
        harness.database, source, [RepaintScore(image_id=image, name=source.scorer, value=value) for image, value in values.items()]
    )


def test_a_repaint_comes_with_its_original_and_its_texts(done: CampaignHarness) -> None:
    (found,) = repaints_to_score(done.database, done.campaign.id)
    assert [one.image_id for one in found] == ids(done)
    by_id = {row["id"]: row for row in done.rows(images)}
    originals = {row["id"]: row for row in done.rows(artworks)}
    for one in found:
        assert one.content_hash == by_id[one.image_id]["content_hash"]
        assert one.original_hash == originals[one.artwork_id]["content_hash"]
        assert one.group_key == originals[one.artwork_id]["group_key"]
        assert one.caption == f"original {one.original_hash}"
        assert one.recaption == f"repaint {one.content_hash}"
        assert one.prompt == f"{one.caption}, {one.level}"


@pytest.mark.parametrize("at_once", [1, 4, 6, 100])
@pytest.mark.parametrize(("limit", "expected"), [(None, 6), (1, 1), (5, 5), (6, 6), (99, 6)])
def test_repaints_come_some_at_a_time_each_once(done: CampaignHarness, at_once: int, limit: int | None, expected: int) -> None:
    chunks = list(repaints_to_score(done.database, done.campaign.id, limit=limit, at_once=at_once))
    assert max(map(len, chunks)) <= at_once
    assert [one.image_id for some in chunks for one in some] == ids(done)[:expected]


def test_only_what_lacks_a_score_of_this_scorer_and_revision_is_found(done: CampaignHarness) -> None:
    first, *others = ids(done)
    score(done, {first: 0.5})
    assert lacking(done) == others
    assert count_repaints(done.database, done.campaign.id, lacking=SOURCE) == 5
    assert lacking(done, ScoreSource(scorer="similarity", model="some/clip", revision="r2")) == [first, *others]
    assert lacking(done, ScoreSource(scorer="nsfw", model="some/clip", revision="r1")) == [first, *others]


def test_a_score_that_is_written_again_replaces_the_old_one(done: CampaignHarness) -> None:
    image = ids(done)[0]
    score(done, {image: 0.5})
    score(done, {image: 0.7}, ScoreSource(scorer="similarity", model="other/clip", revision="r2"))
    (row,) = done.rows(scores)
    assert (row["value"], row["model"], row["revision"]) == (0.7, "other/clip", "r2")
    assert scores_of(done.database, done.campaign.id, "similarity") == {image: 0.7}


def test_many_scores_are_written_at_once(done: CampaignHarness) -> None:
    image = ids(done)[0]
    many = [RepaintScore(image_id=image, name=f"name{number}", value=number) for number in range(500)]
    write_scores(done.database, SOURCE, [*many, *many])
    assert len(done.rows(scores)) == 500
    write_scores(done.database, SOURCE, [])


def test_a_repaint_made_again_lacks_its_scores_and_the_old_one_counts_no_more(done: CampaignHarness) -> None:
    score(done, dict.fromkeys(ids(done), 0.5))
    artwork = done.rows(artworks)[0]["id"]
    requeue(done.database, JobFilter(done=True, stage=Stage.GENERATE, artwork_id=artwork))
    done.run_all(mark=" again")

    assert lacking(done) == ids(done)[-2:]
    assert sum(one.count for one in score_summaries(done.database, done.campaign.id)) == 4
    assert len(scores_of(done.database, done.campaign.id, "similarity")) == 4
    assert count_fitting(done.database, done.campaign.id, "similarity < 0.6")[0] == FilterCount(
        where="similarity < 0.6", level="moderate", repaints=3, fit=2, kept=0, unscored=1
    )


def test_a_repaint_described_anew_is_found_again_where_captions_matter(done: CampaignHarness) -> None:
    first, *_ = ids(done)
    reader = ScoreSource(scorer="caption_agreement", model="some/clip", revision="r1", reads_captions=True)
    for source in (SOURCE, reader):
        score(done, dict.fromkeys(ids(done), 0.5), source)
    assert lacking(done, reader) == []
    with done.database.engine.begin() as connection:
        connection.execute(update(captions).where(captions.c.image_id == first).values(created_at=captions.c.created_at + 3600))
    assert lacking(done, reader) == [first]
    assert lacking(done) == []


def test_a_repaint_of_an_original_that_was_replaced_is_not_scored(done: CampaignHarness) -> None:
    with done.database.engine.begin() as connection:
        original = connection.scalar(select(artworks.c.content_hash).limit(1))
        connection.execute(update(images).values(original_hash=original))
    assert len(lacking(done)) == 2


def test_the_figures_of_a_level_are_those_of_numpy(done: CampaignHarness) -> None:
    values = dict(zip(ids(done), (0.9, 0.1, 0.3, 0.4, 0.35, -0.2), strict=True))
    score(done, values)
    level_of = {one.image_id: one.level for some in repaints_to_score(done.database, done.campaign.id) for one in some}
    found = score_summaries(done.database, done.campaign.id)
    assert [(one.name, one.level, one.model, one.revision) for one in found] == [
        ("similarity", level, "some/clip", "r1") for level in ("moderate", "radical")
    ]
    for one in found:
        mine = [value for image, value in values.items() if level_of[image] == one.level]
        expected = [len(mine), np.mean(mine), np.std(mine), *np.percentile(mine, (5, 50, 95))]
        assert [one.count, one.mean, one.deviation, one.p5, one.p50, one.p95] == pytest.approx(expected)


def test_the_revision_that_scored_last_is_known(done: CampaignHarness) -> None:
    first, second, *_ = ids(done)
    asked = {"name": "similarity", "model": "some/clip"}
    assert scored_revision(done.database, done.campaign.id, **asked) is None
    score(done, {first: 0.5})
    score(done, {second: 0.5}, ScoreSource(scorer="similarity", model="other", revision="r9"))
    assert scored_revision(done.database, done.campaign.id, **asked) == "r1"
