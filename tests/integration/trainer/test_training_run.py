"""From a finished campaign to a saved model, on a real database and store with an embedder that needs no model."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import torch
from sqlalchemy import func, select, update

from db.tables import images, training_runs, triplet_sets
from db.training import Split, find_triplet_set, finished_runs, keep_triplets, triplets_of
from trainer.data.dataset import load_dataset
from trainer.data.fake_embedder import FakeEmbedder
from trainer.data.triplets import hash_triplets
from trainer.errors import BadCheckpoint, NothingToTrainOn, TripletSetDiffers
from trainer.evaluate.saved import evaluate_on_campaign, evaluate_saved
from trainer.fit.config import TrainingConfig
from trainer.model_folder import load_model, seen_groups
from trainer.splits import SplitRatio
from trainer.training_run import RunConfig, StartMode, train_run
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db.engine import Database
    from tests.integration.trainer.conftest import Filled
    from trainer.data.dataset import EmbeddingDataset

CLIP = ModelSource(location="fake", dtype="float32")
CONFIG = TrainingConfig(seed=3, epochs=6, batch_size=32, hidden=32, out=32)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def dataset_of(filled: Filled, embedder: FakeEmbedder | None = None) -> EmbeddingDataset:
    return load_dataset(filled.database, filled.store, filled.campaign, embedder=embedder or FakeEmbedder(), clip=CLIP)


def run_in(directory: Path, *, split: str = "80/20", config: TrainingConfig = CONFIG, start: StartMode = StartMode.AUTO) -> RunConfig:
    return RunConfig(ratio=SplitRatio.parse(split), config=config, directory=directory / "80-20", start=start)


def test_a_campaign_becomes_a_model_and_a_row_with_its_metrics(database: Database, fill: Callable[..., Filled], tmp_path: Path) -> None:
    filled = fill(database)

    run = train_run(filled.database, dataset_of(filled), run_in(tmp_path))

    assert run.evaluation.find("trained").accuracy > 0.9
    assert run.evaluation.find("clip").triplets == run.evaluation.find("trained").triplets == run.triplet_set.recipe["triplets"]["test"]
    row = finished_runs(filled.database)[0]
    assert (row.name, row.campaign, row.directory) == ("80/20", "studies", str(run.directory))
    assert row.metrics == run.evaluation.model_dump(mode="json")
    assert row.config["epochs"] == 6
    assert load_model(run.directory).config.triplets.content_hash == run.triplet_set.content_hash


def test_triplets_read_from_the_database_are_the_triplets_drawn(database: Database, fill: Callable[..., Filled], tmp_path: Path) -> None:
    filled = fill(database)

    run = train_run(filled.database, dataset_of(filled), run_in(tmp_path))

    read = triplets_of(filled.database, run.triplet_set.id)
    assert hash_triplets(read) == run.triplet_set.content_hash
    assert len(read) == sum(run.triplet_set.recipe["triplets"].values())
    assert len({triplet.positive_id for triplet in read}) == 60
    assert triplets_of(filled.database, run.triplet_set.id, Split.TEST) == [triplet for triplet in read if triplet.part is Split.TEST]
    assert find_triplet_set(filled.database, run.triplet_set.name) == run.triplet_set


def test_a_triplet_set_that_exists_is_returned_and_not_written_twice(database: Database, fill: Callable[..., Filled]) -> None:
    filled = fill(database, count=6)
    facts: dict[str, Any] = {"name": "mine", "campaign_id": filled.campaign.id, "recipe": {"a": 1.5}, "drawn": ()}

    first = keep_triplets(filled.database, seed=1, content_hash="a" * 64, **facts)
    second = keep_triplets(filled.database, seed=2, content_hash="b" * 64, **facts)

    assert second == first
    assert second.content_hash == "a" * 64


def test_training_twice_writes_nothing_twice(studies: Filled, tmp_path: Path) -> None:
    dataset = dataset_of(studies)

    first = train_run(studies.database, dataset, run_in(tmp_path))
    weights = (first.directory / "model.safetensors").read_bytes()
    second = train_run(studies.database, dataset, run_in(tmp_path))

    assert second.evaluation == first.evaluation
    assert second.triplet_set == first.triplet_set
    assert (first.directory / "model.safetensors").read_bytes() == weights
    with studies.database.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(training_runs)) == 1
        assert connection.scalar(select(func.count()).select_from(triplet_sets)) == 1


def test_images_are_embedded_once_for_all_runs_and_hosts(studies: Filled) -> None:
    first, second = FakeEmbedder(), FakeEmbedder()

    dataset_of(studies, first)
    dataset = dataset_of(studies, second)

    assert first.embedded == 30 * 3
    assert second.embedded == 0
    assert len(dataset.repaints) == 60


def test_a_run_with_other_parameters_starts_anew_unless_resume_is_asked_for(studies: Filled, tmp_path: Path) -> None:
    dataset = dataset_of(studies)
    train_run(studies.database, dataset, run_in(tmp_path))
    other = CONFIG.model_copy(update={"dropout": 0.5})

    with pytest.raises(BadCheckpoint, match="--fresh"):
        train_run(studies.database, dataset, run_in(tmp_path, config=other, start=StartMode.RESUME))
    run = train_run(studies.database, dataset, run_in(tmp_path, config=other))

    assert len(run.history.epochs) == 6
    assert load_model(run.directory).config.training.dropout == 0.5


def test_more_epochs_resume_from_the_checkpoint_and_end_where_one_long_run_ends(studies: Filled, tmp_path: Path) -> None:
    dataset = dataset_of(studies)
    train_run(studies.database, dataset, run_in(tmp_path / "cut", config=CONFIG.model_copy(update={"epochs": 3})))
    epochs: list[int] = []

    cut = train_run(studies.database, dataset, run_in(tmp_path / "cut"), lambda epoch: epochs.append(epoch.number))
    whole = train_run(studies.database, dataset, run_in(tmp_path / "whole"))

    assert epochs == [4, 5, 6]
    assert cut.history == whole.history
    assert (cut.directory / "model.safetensors").read_bytes() == (whole.directory / "model.safetensors").read_bytes()


def test_resuming_without_a_checkpoint_is_refused(studies: Filled, tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="no checkpoint"):
        train_run(studies.database, dataset_of(studies), run_in(tmp_path, start=StartMode.RESUME))


def test_a_campaign_without_repaints_names_the_command_to_run(studies: Filled) -> None:
    with studies.database.engine.begin() as connection:
        connection.execute(update(images).values(current=False))

    with pytest.raises(NothingToTrainOn, match="paragone work"):
        dataset_of(studies)


def test_evaluating_a_saved_model_repeats_the_figures_of_training(studies: Filled, tmp_path: Path) -> None:
    run = train_run(studies.database, dataset_of(studies), run_in(tmp_path))

    again = evaluate_saved(studies.database, studies.store, load_model(run.directory), FakeEmbedder())

    assert again.find("clip") == run.evaluation.find("clip")
    assert again.table is not None
    assert run.evaluation.table is not None
    assert again.table.figure("clip", "same_shape") == run.evaluation.table.figure("clip", "same_shape")
    assert again.table.repaints == run.evaluation.table.repaints == 12
    assert again.find("trained").accuracy == run.evaluation.find("trained").accuracy
    assert again.find("trained").margin == pytest.approx(run.evaluation.find("trained").margin, abs=1e-5)


def test_a_saved_model_is_evaluated_on_altered_queries_beside_probes_of_pixels(studies: Filled, tmp_path: Path) -> None:
    run = train_run(studies.database, dataset_of(studies), run_in(tmp_path))

    table = evaluate_saved(studies.database, studies.store, load_model(run.directory), FakeEmbedder(), altered=True).table

    assert table is not None
    scorers = [row.scorer for row in table.rows if row.level == "radical"]
    assert scorers == ["trained", "clip", "shape", "colours", "captions", "chance"]
    assert table.row("clip").cell("detected") is not None
    kept = {row.alteration: row.cells[0].figure.value for row in table.robustness if (row.scorer, row.level) == ("clip", "moderate")}
    assert kept["half size"] == kept["none"] == 1.0
    assert kept["mirrored"] < 0.8
    assert "Too few for a verdict" in table.conclusions[0]


def test_evaluating_a_saved_model_still_finds_superseded_repaints(studies: Filled, tmp_path: Path) -> None:
    run = train_run(studies.database, dataset_of(studies), run_in(tmp_path))
    with studies.database.engine.begin() as connection:
        connection.execute(update(images).values(current=False))

    again = evaluate_saved(studies.database, studies.store, load_model(run.directory), FakeEmbedder())

    assert again.find("trained").triplets == run.evaluation.find("trained").triplets


def test_evaluating_a_saved_model_refuses_triplets_whose_images_were_replaced(studies: Filled, tmp_path: Path) -> None:
    run = train_run(studies.database, dataset_of(studies), run_in(tmp_path))
    with studies.database.engine.begin() as connection:
        connection.execute(update(images).where(images.c.id == 1).values(content_hash="0" * 64))

    with pytest.raises(TripletSetDiffers, match="replaced"):
        evaluate_saved(studies.database, studies.store, load_model(run.directory), FakeEmbedder())


def test_evaluating_on_a_campaign_leaves_out_what_the_model_has_seen(studies: Filled, tmp_path: Path) -> None:
    run = train_run(studies.database, dataset_of(studies), run_in(tmp_path))
    model = load_model(run.directory)

    evaluation = evaluate_on_campaign(studies.database, studies.store, model, FakeEmbedder(), studies.campaign)

    assert len(seen_groups(run.directory)) == 24
    assert evaluation.find("trained").triplets == run.evaluation.find("trained").triplets
    assert evaluation.find("trained").gallery == 6
    assert evaluation.table is not None
    assert (evaluation.table.gallery, evaluation.table.repaints) == (6, 12)


def test_a_run_writes_curves_history_and_metrics_into_its_folder(studies: Filled, tmp_path: Path) -> None:
    run = train_run(studies.database, dataset_of(studies), run_in(tmp_path))

    assert any((run.directory / "tensorboard").iterdir())
    assert len(json.loads((run.directory / "history.json").read_text())["epochs"]) == len(run.history.epochs)
    assert json.loads((run.directory / "metrics.json").read_text())["scores"][0]["scorer"] == "trained"
    assert not [path for path in run.directory.rglob("*") if path.suffix in {".pt", ".pth", ".pkl", ".bin"}]
    shutil.rmtree(run.directory)
