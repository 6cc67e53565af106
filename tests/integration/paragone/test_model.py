from __future__ import annotations

import json
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import paragone
from db.runtime import Runtime
from trainer.evaluate.evaluation import Evaluation
from trainer.fit.config import TrainingConfig
from trainer.heads.mlp import MlpHead
from trainer.model_folder import ModelConfig, TripletSetSummary, save_model
from trainer.model_sources import SavedModelSource, clip_source
from workers.backends.clip import ClipEmbedder
from workers.backends.tiny import build_tiny_models

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model's folder, and the tiny models beside which it was made."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("model")
    models = build_tiny_models(folder / "models")
    embedder = ClipEmbedder(model=clip_source(models), device="cpu")
    embedder.load()
    config = ModelConfig(
        dimension=embedder.dimension,
        campaign="studies",
        clip=SavedModelSource(location=str(models / "clip"), revision=embedder.revision, dtype="float32"),
        captioner=SavedModelSource(location=str(models / "captioner"), settings={"max_new_tokens": 5}),
        training=TrainingConfig(hidden=16, out=8),
        triplets=TripletSetSummary(name="studies/80-20/abc", content_hash="f" * 64, seed=0, recipe={}),
        temperature=0.1,
        best_epoch=1,
        metrics=Evaluation(scores=()),
    )
    save_model(folder / "80-20", MlpHead(dimension=embedder.dimension, hidden=16, out=8), config, [])
    return folder / "80-20", models


@pytest.fixture
def images(tmp_path: Path) -> tuple[Path, Path]:
    random = np.random.default_rng(0)
    for name in ("one", "other"):
        Image.fromarray(random.integers(0, 255, (40, 30, 3), dtype=np.uint8)).save(tmp_path / f"{name}.png")
    return tmp_path / "one.png", tmp_path / "other.png"


def test_compare_says_what_the_command_prints(folders: tuple[Path, Path], images: tuple[Path, Path], tmp_path: Path) -> None:
    model = paragone.load_model(folders[0])
    compared = model.compare(*images, captions=True)
    assert all(isinstance(caption, str) for caption in compared.captions)
    (point,) = entry_points(group="paragone.commands", name="compare")
    line = [*map(str, images), "--model", str(folders[0]), "--json"]
    with paragone.open(tmp_path / "data") as project:
        printed = CliRunner().invoke(point.load(), line, obj=Runtime(project.settings), catch_exceptions=False).stdout
    assert json.loads(printed) == compared.as_json()
    assert model.compare(*images).captions == (None, None), "a captioner is large: it is loaded only if it is asked"


def test_images_in_memory_and_files_are_the_same_and_an_image_is_like_itself(folders: tuple[Path, Path], images: tuple[Path, Path]) -> None:
    model = paragone.load_model(str(folders[0]), models=folders[1], device="cpu")
    with Image.open(images[0]) as one, Image.open(images[1]) as other:
        vectors = model.embed([one, images[1], one.convert("RGBA")])
        compared = model.compare(one, other)
    assert (*vectors.shape, str(vectors.dtype)) == (3, 8, "float32")
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.allclose(vectors[0], vectors[2])
    assert compared.cosine == pytest.approx(vectors[0] @ vectors[1], abs=1e-5)
    assert model.compare(images[0], str(images[0])).cosine == pytest.approx(1)
    assert model.embed([]).shape == (0, 8)


def test_what_cannot_be_used_is_a_paragone_error(folders: tuple[Path, Path], images: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(paragone.ParagoneError, match=r"holds no config\.json"):
        paragone.load_model(tmp_path)
    with pytest.raises(paragone.ParagoneError, match=r"gone\.jpg cannot be read"):
        paragone.load_model(folders[0]).compare(images[0], tmp_path / "gone.jpg")
    (tmp_path / "empty" / "clip").mkdir(parents=True)
    with pytest.raises(paragone.ParagoneError, match="clip"):
        paragone.load_model(folders[0], models=tmp_path / "empty").embed([images[0]])
