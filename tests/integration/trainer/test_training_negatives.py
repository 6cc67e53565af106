"""Trainings with negatives of several kinds: stored, read back, evaluated again and shown, from a database and from an export."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
import torch
from sqlalchemy import select, update

from db.results.pairs import originals, repaints
from db.tables import artworks, triplets
from db.training import finished_runs, triplets_of
from producer.export.options import ExportOptions
from producer.export.run import export_campaign
from trainer.data.dataset import embed_pairs, load_dataset
from trainer.data.exports import ExportPairs
from trainer.data.fake_embedder import FakeEmbedder
from trainer.data.triplets import hash_triplets
from trainer.errors import TripletSetDiffers
from trainer.evaluate.saved import evaluate_on_campaign, evaluate_saved
from trainer.fit.config import TrainingConfig
from trainer.model_folder import load_model
from trainer.report.example_pairs import example_pairs
from trainer.splits import SplitRatio
from trainer.training_run import RunConfig, train_run
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db.engine import Database
    from db.runtime import Runtime
    from tests.integration.trainer.conftest import Filled
    from trainer.data.dataset import EmbeddingDataset
    from trainer.training_run import TrainingRunResult

CLIP = ModelSource(location="fake", dtype="float32")
CONFIG = TrainingConfig(seed=3, epochs=2, batch_size=32, hidden=32, out=32)
MIXTURE = "generated:1,nearest:1,same-artist:1"


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def dataset_of(filled: Filled) -> EmbeddingDataset:
    return load_dataset(filled.database, filled.store, filled.campaign, embedder=FakeEmbedder(), clip=CLIP)


def trained(database: Database | None, dataset: EmbeddingDataset, directory: Path, strategy: str | None) -> TrainingRunResult:
    run = RunConfig(ratio=SplitRatio.parse("80/20"), config=CONFIG, directory=directory, negative_strategy=strategy)
    return train_run(database, dataset, run)


def test_negatives_that_are_repaints_are_read_back_and_evaluated_as_they_were_drawn(
    database: Database, fill: Callable[..., Filled], tmp_path: Path
) -> None:
    filled = fill(database)

    run = trained(database, dataset_of(filled), tmp_path / "model", MIXTURE)

    read = triplets_of(database, run.triplet_set.id)
    assert hash_triplets(read) == run.triplet_set.content_hash
    images = {one.image_id: one for one in repaints(database, filled.campaign.id)}
    kinds = Counter(triplet.negative_image_id is not None for triplet in read)
    assert min(kinds[True], kinds[False]) > 70
    for triplet in read:
        if triplet.negative_image_id is not None:
            negative = images[triplet.negative_image_id]
            assert (negative.artwork_id, negative.content_hash) == (triplet.negative_id, triplet.negative_hash)
            assert negative.level == triplet.level
            assert triplet.negative_id != triplet.anchor_id
    again = evaluate_saved(database, filled.store, load_model(run.directory), FakeEmbedder())
    assert again.find("clip") == run.evaluation.find("clip")
    assert again.find("clip").gallery <= 6
    unseen = evaluate_on_campaign(database, filled.store, load_model(run.directory), FakeEmbedder(), filled.campaign)
    assert unseen.find("clip").triplets == run.evaluation.find("clip").triplets


def test_the_default_strategy_leaves_the_new_column_empty(database: Database, fill: Callable[..., Filled], tmp_path: Path) -> None:
    filled = fill(database, count=12)

    run = trained(database, dataset_of(filled), tmp_path / "model", None)

    assert run.triplet_set.recipe["negatives"] == "other-style"
    assert {"instead_of", "fell_back"}.isdisjoint(run.triplet_set.recipe)
    with database.read() as connection:
        assert set(connection.scalars(select(triplets.c.negative_image_id))) == {None}


def test_a_program_that_knows_no_such_negatives_refuses_their_set_instead_of_misreading_it(studies: Filled, tmp_path: Path) -> None:
    run = trained(studies.database, dataset_of(studies), tmp_path / "model", "generated")
    with studies.database.engine.begin() as connection:
        connection.execute(update(triplets).values(negative_image_id=None))

    with pytest.raises(TripletSetDiffers):
        evaluate_saved(studies.database, studies.store, load_model(run.directory), FakeEmbedder())


@pytest.mark.parametrize("strategy", ["generated", "nearest", MIXTURE])
def test_an_export_gives_the_negatives_that_the_database_gives(studies: Filled, tmp_path: Path, strategy: str) -> None:
    first = trained(studies.database, dataset_of(studies), tmp_path / "stored", strategy)
    runtime = cast("Runtime", SimpleNamespace(database=studies.database, store=studies.store))
    export_campaign(runtime, tmp_path / "out", ExportOptions(format="parquet", rows_per_shard=25))

    exported = embed_pairs(ExportPairs(tmp_path / "out"), studies.store, embedder=FakeEmbedder(), clip=CLIP)
    second = trained(None, exported, tmp_path / "exported", strategy)

    assert second.triplet_set.content_hash == first.triplet_set.content_hash
    assert (second.triplet_set.name, second.triplet_set.recipe) == (first.triplet_set.name, first.triplet_set.recipe)
    assert second.evaluation == first.evaluation


def test_a_folder_of_one_style_is_trained_on_and_it_is_said_how(
    sqlite_database: Database, fill: Callable[..., Filled], tmp_path: Path
) -> None:
    filled = fill(sqlite_database, styles=1)

    run = trained(sqlite_database, dataset_of(filled), tmp_path / "model", None)

    assert run.triplet_set.recipe["negatives"] == "any"
    few, *notes = run.as_json()["notes"]
    assert few.startswith("3 artists are too few to be kept apart")
    assert notes == [
        "negatives are drawn by 'any' instead of 'other-style': no original of another style in its part",
        "too few for a verdict: 6 different artworks to test on, at least 20 are needed",
    ]
    assert finished_runs(sqlite_database)[0].metrics == run.evaluation.model_dump(mode="json")
    assert load_model(run.directory).config.triplets.negative_strategy == "any"


def test_works_of_unknown_style_are_trained_on(studies: Filled, tmp_path: Path) -> None:
    with studies.database.engine.begin() as connection:
        connection.execute(update(artworks).values(style=None, styles=[]))

    run = trained(studies.database, dataset_of(studies), tmp_path / "model", None)

    assert run.triplet_set.recipe["instead_of"] == {"negatives": "other-style", "reason": "style unknown"}


def test_the_report_shows_the_repaint_that_is_the_negative(studies: Filled, tmp_path: Path) -> None:
    trained(studies.database, dataset_of(studies), tmp_path / "model", "generated")
    made = repaints(studies.database, studies.campaign.id)

    pairs = example_pairs(
        studies.database, studies.store, finished_runs(studies.database), originals(studies.database, studies.campaign.id), made
    )

    assert [pair.title for pair in pairs] == ["An original and its radical repaint", "The same original and a negative (generated)"]
    assert pairs[1].captions[1] == "the radical one"
