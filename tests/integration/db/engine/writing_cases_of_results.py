"""The same for what is made of results, and for results that were made elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db.campaigns import open_campaign
from db.campaigns.imported import add_levels, imported_config
from db.enums import Stage
from db.jobs.import_results import finish_import, write_imported
from db.quality import RepaintScore, ScoreSource, scores_of, write_scores
from db.results.imported import ImportedResult, ImportedText, ImportOutcome
from db.tables import artworks, captions, images, training_runs, triplets
from db.training import Split, Triplet, begin_run, finish_run, keep_triplets
from tests.integration.db.engine.writing_cases import Case, case, count

if TYPE_CHECKING:
    from tests.builders import CampaignHarness


@case
def of_write_scores(harness: CampaignHarness) -> Case:
    harness.run(Stage.CAPTION, Stage.PROMPT, Stage.GENERATE)
    image_id = harness.rows(images)[0]["id"]
    source = ScoreSource(scorer="similarity", model="org/clip", revision="abc")
    score = RepaintScore(image_id=image_id, name="similarity", value=0.5)
    return Case(
        call=lambda: write_scores(harness.database, source, [score]),
        leaves=lambda: scores_of(harness.database, harness.campaign.id, "similarity"),
        expected={image_id: 0.5},
    )


@case
def of_write_imported(harness: CampaignHarness) -> Case:
    campaign = open_campaign(harness.database, "imported", imported_config(["radical"]))
    artwork = harness.rows(artworks)[0]
    caption = ImportedText(text="a pond", model="unknown", origin="a file")
    row = ImportedResult(artwork_id=artwork["id"], artwork_key=artwork["key"], level="radical", ordinal=0, caption=caption)
    return Case(
        call=lambda: write_imported(harness.database, campaign.id, [row]),
        returns=[ImportOutcome.ADDED],
        leaves=lambda: [row["text"] for row in harness.rows(captions) if row["campaign_id"] == campaign.id],
        expected=["a pond"],
    )


@case
def of_finish_import(harness: CampaignHarness) -> Case:
    return Case(call=lambda: finish_import(harness.database), leaves=lambda: count(harness, artworks) > 0, expected=True)


@case
def of_add_levels(harness: CampaignHarness) -> Case:
    campaign = open_campaign(harness.database, "imported", imported_config(["radical"]))
    return Case(
        call=lambda: sorted(add_levels(harness.database, campaign, ["moderate"]).config.level),
        returns=["moderate", "radical"],
        leaves=lambda: open_campaign(harness.database, "imported", imported_config(["moderate", "radical"])).id,
        expected=campaign.id,
    )


def drawn(harness: CampaignHarness) -> int:
    """Write one triplet; returns the id of its set."""
    image = harness.rows(images)[0]
    one, other = (row for row in harness.rows(artworks)[:2])
    triplet = Triplet(
        part=Split.TRAIN,
        level="radical",
        group_key=one["group_key"],
        anchor_id=one["id"],
        anchor_key=one["key"],
        anchor_hash=one["content_hash"],
        positive_id=image["id"],
        positive_hash=image["content_hash"],
        negative_id=other["id"],
        negative_key=other["key"],
        negative_hash=other["content_hash"],
    )
    facts: Any = {"name": "set", "campaign_id": harness.campaign.id, "seed": 0, "recipe": {}, "content_hash": "0" * 64}
    return keep_triplets(harness.database, **facts, drawn=[triplet]).id


@case
def of_keep_triplets(harness: CampaignHarness) -> Case:
    harness.run(Stage.CAPTION, Stage.PROMPT, Stage.GENERATE)
    return Case(call=lambda: drawn(harness) > 0, returns=True, leaves=lambda: count(harness, triplets), expected=1)


@case
def of_begin_run(harness: CampaignHarness) -> Case:
    harness.run(Stage.CAPTION, Stage.PROMPT, Stage.GENERATE)
    set_id = drawn(harness)
    return Case(
        call=lambda: begin_run(harness.database, name="run", triplet_set_id=set_id, config={}, directory="runs") > 0,
        returns=True,
        leaves=lambda: [row["name"] for row in harness.rows(training_runs)],
        expected=["run"],
    )


@case
def of_finish_run(harness: CampaignHarness) -> Case:
    harness.run(Stage.CAPTION, Stage.PROMPT, Stage.GENERATE)
    run_id = begin_run(harness.database, name="run", triplet_set_id=drawn(harness), config={}, directory="runs")
    return Case(
        call=lambda: finish_run(harness.database, run_id, {"auc": 0.5}),
        leaves=lambda: [row["metrics"] for row in harness.rows(training_runs)],
        expected=[{"auc": 0.5}],
    )
