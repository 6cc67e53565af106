"""A configuration as a training would leave it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from trainer.evaluate.evaluation import Evaluation
from trainer.evaluate.metrics import Score
from trainer.fit.config import TrainingConfig
from trainer.heads.mlp import MlpHead
from trainer.model_folder import ModelConfig, TrainedModel, TripletSetSummary
from trainer.model_sources import SavedModelSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def score(scorer: str, accuracy: float, interval: tuple[float, float] | None) -> Score:
    figures: dict[str, Any] = {"positive": 0.8, "negative": 0.2, "margin": 0.6}
    return Score(
        scorer=scorer, level="all", triplets=400, accuracy=accuracy, accuracy_interval=interval, **figures, roc_auc=0.9, recall_at_1=0.25,
        gallery=80,
    )  # fmt: skip


@pytest.fixture
def config() -> Callable[..., ModelConfig]:
    """A configuration, with what a test changes."""

    def made(**changes: Any) -> ModelConfig:
        recipe = {
            "split": "80/20",
            "validation": 0.1,
            "per_repaint": 4,
            "groups": {"train": 300, "validation": 20, "test": 80},
            "triplets": {"train": 2400, "validation": 160, "test": 640},
        }
        values: dict[str, Any] = {
            "dimension": 12,
            "campaign": "studies",
            "clip": SavedModelSource(location="openai/clip-vit-base-patch32", revision="3d74acf"),
            "training": TrainingConfig(seed=7, hidden=16, out=8),
            "triplets": TripletSetSummary(name="studies/80-20/abc", content_hash="f" * 64, seed=7, recipe=recipe),
            "temperature": 0.07,
            "best_epoch": 12,
            "metrics": Evaluation(scores=(score("trained", 0.95, (0.93, 0.97)), score("clip", 0.85, (0.82, 0.88)))),
        }
        return ModelConfig(**(values | changes))

    return made


@pytest.fixture
def model(config: Callable[..., ModelConfig], tmp_path: Path) -> TrainedModel:
    """A head whose BatchNorm has seen something."""
    torch.manual_seed(0)
    head = MlpHead(dimension=12, hidden=16, out=8)
    head(torch.randn(64, 12))
    return TrainedModel(head=head.eval(), config=config(), directory=tmp_path / "model")
