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
from trainer.configuration import TrainingConfig
from trainer.corpus import gather_corpus
from trainer.errors import BadCheckpoint, NothingToTrainOn, TripletSetDiffers
from trainer.fakes import FakeEmbedder
from trainer.judgement import judge_again, judge_campaign
from trainer.model_folder import learned_groups, load_model
from trainer.run import Plan, Start, train_run
from trainer.splits import Shares
from trainer.triplets import hash_of
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db.engine import Database
    from tests.integration.trainer.conftest import Filled
    from trainer.corpus import Corpus

CLIP = ModelSource(location="fake", dtype="float32")
CONFIG = TrainingConfig(seed=3, epochs=6, batch_size=32, hidden=32, out=32)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def corpus_of(filled: Filled, embedder: FakeEmbedder | None = None) -> Corpus:
    return gather_corpus(filled.database, filled.store, filled.campaign, embedder=embedder or FakeEmbedder(), clip=CLIP)


def plan_in(directory: Path, *, split: str = "80/20", config: TrainingConfig = CONFIG, start: Start = Start.AUTO) -> Plan:
    return Plan(shares=Shares.parse(split), config=config, directory=directory / "80-20", start=start)


def test_a_campaign_becomes_a_model_and_a_row_that_says_how_well_it_did(
    database: Database, fill: Callable[..., Filled], tmp_path: Path
) -> None:
    filled = fill(database)

    run = train_run(filled.database, corpus_of(filled), plan_in(tmp_path))

    assert run.evaluation.find("trained").accuracy > 0.9
    assert run.evaluation.find("clip").triplets == run.evaluation.find("trained").triplets == run.triplet_set.recipe["triplets"]["test"]
    row = finished_runs(filled.database)[0]
    assert (row.name, row.campaign, row.directory) == ("80/20", "studies", str(run.directory))
    assert row.metrics == run.evaluation.model_dump(mode="json")
    assert row.config["epochs"] == 6
    assert load_model(run.directory).config.triplets.content_hash == run.triplet_set.content_hash


def test_triplets_read_back_are_the_triplets_drawn(database: Database, fill: Callable[..., Filled], tmp_path: Path) -> None:
    filled = fill(database)

    run = train_run(filled.database, corpus_of(filled), plan_in(tmp_path))

    read = triplets_of(filled.database, run.triplet_set.id)
    assert hash_of(read) == run.triplet_set.content_hash
    assert len(read) == sum(run.triplet_set.recipe["triplets"].values())
    assert len({triplet.positive_id for triplet in read}) == 60
    assert triplets_of(filled.database, run.triplet_set.id, Split.TEST) == [triplet for triplet in read if triplet.part is Split.TEST]
    assert find_triplet_set(filled.database, run.triplet_set.name) == run.triplet_set


def test_a_set_that_is_kept_already_is_returned_and_not_doubled(database: Database, fill: Callable[..., Filled]) -> None:
    filled = fill(database, count=6)
    facts: dict[str, Any] = {"name": "mine", "campaign_id": filled.campaign.id, "recipe": {"a": 1.5}, "drawn": ()}

    first = keep_triplets(filled.database, seed=1, content_hash="a" * 64, **facts)
    second = keep_triplets(filled.database, seed=2, content_hash="b" * 64, **facts)

    assert second == first
    assert second.content_hash == "a" * 64


def test_training_twice_writes_nothing_twice(studies: Filled, tmp_path: Path) -> None:
    corpus = corpus_of(studies)

    first = train_run(studies.database, corpus, plan_in(tmp_path))
    weights = (first.directory / "model.safetensors").read_bytes()
    second = train_run(studies.database, corpus, plan_in(tmp_path))

    assert second.evaluation == first.evaluation
    assert second.triplet_set == first.triplet_set
    assert (first.directory / "model.safetensors").read_bytes() == weights
    with studies.database.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(training_runs)) == 1
        assert connection.scalar(select(func.count()).select_from(triplet_sets)) == 1


def test_pictures_are_embedded_once_for_all_runs_and_hosts(studies: Filled) -> None:
    first, second = FakeEmbedder(), FakeEmbedder()

    corpus_of(studies, first)
    corpus = corpus_of(studies, second)

    assert first.embedded == 30 * 3
    assert second.embedded == 0
    assert len(corpus.repaints) == 60


def test_a_run_of_other_parameters_begins_anew_unless_told_to_resume(studies: Filled, tmp_path: Path) -> None:
    corpus = corpus_of(studies)
    train_run(studies.database, corpus, plan_in(tmp_path))
    other = CONFIG.model_copy(update={"dropout": 0.5})

    with pytest.raises(BadCheckpoint, match="--fresh"):
        train_run(studies.database, corpus, plan_in(tmp_path, config=other, start=Start.RESUME))
    run = train_run(studies.database, corpus, plan_in(tmp_path, config=other))

    assert len(run.history.epochs) == 6
    assert load_model(run.directory).config.training.dropout == 0.5


def test_more_epochs_go_on_from_the_checkpoint_and_end_where_one_long_run_ends(studies: Filled, tmp_path: Path) -> None:
    corpus = corpus_of(studies)
    train_run(studies.database, corpus, plan_in(tmp_path / "cut", config=CONFIG.model_copy(update={"epochs": 3})))
    told: list[int] = []

    cut = train_run(studies.database, corpus, plan_in(tmp_path / "cut"), lambda epoch: told.append(epoch.number))
    whole = train_run(studies.database, corpus, plan_in(tmp_path / "whole"))

    assert told == [4, 5, 6]
    assert cut.history == whole.history
    assert (cut.directory / "model.safetensors").read_bytes() == (whole.directory / "model.safetensors").read_bytes()


def test_resume_without_a_checkpoint_says_so(studies: Filled, tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="no checkpoint"):
        train_run(studies.database, corpus_of(studies), plan_in(tmp_path, start=Start.RESUME))


def test_a_campaign_without_repaints_says_what_to_run(studies: Filled) -> None:
    with studies.database.engine.begin() as connection:
        connection.execute(update(images).values(current=False))

    with pytest.raises(NothingToTrainOn, match="paragone work"):
        corpus_of(studies)


def test_evaluate_repeats_the_figures_of_training(studies: Filled, tmp_path: Path) -> None:
    run = train_run(studies.database, corpus_of(studies), plan_in(tmp_path))

    again = judge_again(studies.database, studies.store, load_model(run.directory), FakeEmbedder())

    assert again.find("clip") == run.evaluation.find("clip")
    assert again.find("trained").accuracy == run.evaluation.find("trained").accuracy
    assert again.find("trained").margin == pytest.approx(run.evaluation.find("trained").margin, abs=1e-5)


def test_evaluate_still_knows_repaints_that_were_superseded_since(studies: Filled, tmp_path: Path) -> None:
    run = train_run(studies.database, corpus_of(studies), plan_in(tmp_path))
    with studies.database.engine.begin() as connection:
        connection.execute(update(images).values(current=False))

    again = judge_again(studies.database, studies.store, load_model(run.directory), FakeEmbedder())

    assert again.find("trained").triplets == run.evaluation.find("trained").triplets


def test_evaluate_refuses_triplets_whose_pictures_were_replaced(studies: Filled, tmp_path: Path) -> None:
    run = train_run(studies.database, corpus_of(studies), plan_in(tmp_path))
    with studies.database.engine.begin() as connection:
        connection.execute(update(images).where(images.c.id == 1).values(content_hash="0" * 64))

    with pytest.raises(TripletSetDiffers, match="replaced"):
        judge_again(studies.database, studies.store, load_model(run.directory), FakeEmbedder())


def test_judged_by_a_campaign_nothing_that_was_learned_counts(studies: Filled, tmp_path: Path) -> None:
    run = train_run(studies.database, corpus_of(studies), plan_in(tmp_path))
    model = load_model(run.directory)

    evaluation = judge_campaign(studies.database, studies.store, model, FakeEmbedder(), studies.campaign)

    assert len(learned_groups(run.directory)) == 24
    assert evaluation.find("trained").triplets == run.evaluation.find("trained").triplets
    assert evaluation.find("trained").gallery == 6


def test_a_run_leaves_curves_history_and_figures_in_its_folder(studies: Filled, tmp_path: Path) -> None:
    run = train_run(studies.database, corpus_of(studies), plan_in(tmp_path))

    assert any((run.directory / "tensorboard").iterdir())
    assert len(json.loads((run.directory / "history.json").read_text())["epochs"]) == len(run.history.epochs)
    assert json.loads((run.directory / "metrics.json").read_text())["scores"][0]["scorer"] == "trained"
    assert not [path for path in run.directory.rglob("*") if path.suffix in {".pt", ".pth", ".pkl", ".bin"}]
    shutil.rmtree(run.directory)
