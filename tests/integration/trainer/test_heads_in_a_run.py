"""Heads in closed form through a whole run: recorded, saved, loaded, evaluated again, and repeated without a trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch
from sqlalchemy import func, select

from db.tables import training_runs
from trainer.data.dataset import load_dataset
from trainer.data.fake_embedder import FakeEmbedder
from trainer.errors import UnknownComponent
from trainer.evaluate.saved import evaluate_saved
from trainer.fit.config import TrainingConfig
from trainer.heads.parts import parse_heads
from trainer.model_folder import load_model
from trainer.splits import SplitRatio
from trainer.training_run import RunConfig, train_run
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.trainer.conftest import Filled


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def run_of(*heads: str, directory: Path) -> RunConfig:
    head, parts = parse_heads(heads)
    return RunConfig(ratio=SplitRatio.parse("80/20"), config=TrainingConfig(head=head, parts=parts, seed=3), directory=directory)


@pytest.mark.parametrize("heads", [("pair-whitening",), ("fused",), ("clip=frozen", "clip=pair-whitening")], ids=" ".join)
def test_a_head_without_epochs_becomes_a_model_like_any_other(heads: tuple[str, ...], studies: Filled, tmp_path: Path) -> None:
    embedder, clip = FakeEmbedder(), ModelSource(location="fake", dtype="float32")
    dataset = load_dataset(studies.database, studies.store, studies.campaign, embedder=embedder, clip=clip)

    run = train_run(studies.database, dataset, run_of(*heads, directory=tmp_path))
    weights = (tmp_path / "model.safetensors").read_bytes()
    again = train_run(studies.database, dataset, run_of(*heads, directory=tmp_path))

    assert run.history.epochs == ()
    assert json.loads((tmp_path / "history.json").read_text())["chosen"] == run.history.chosen != {}
    assert again.evaluation == run.evaluation
    assert (tmp_path / "model.safetensors").read_bytes() == weights
    with studies.database.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(training_runs)) == 1
    saved = evaluate_saved(studies.database, studies.store, load_model(tmp_path), FakeEmbedder())
    assert saved.find("trained").accuracy == run.evaluation.find("trained").accuracy
    assert run.evaluation.find("trained").accuracy >= run.evaluation.find("clip").accuracy - 0.05


def test_a_part_of_a_space_that_the_vectors_do_not_have_is_refused(studies: Filled, tmp_path: Path) -> None:
    clip = ModelSource(location="fake", dtype="float32")
    dataset = load_dataset(studies.database, studies.store, studies.campaign, embedder=FakeEmbedder(), clip=clip)

    with pytest.raises(UnknownComponent, match="no space 'latents'; they have: clip"):
        train_run(studies.database, dataset, run_of("latents=lda", directory=tmp_path / "x"))
    assert not (tmp_path / "x").exists()
