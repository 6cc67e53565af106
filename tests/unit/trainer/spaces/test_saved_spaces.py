"""Spaces by name, and as a model folder names them: with real classes and tiny models, but without loading most of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from db.campaigns import CampaignConfig
from trainer.data.fake_embedder import FakeEmbedder
from trainer.errors import BadModelFolder, EmbedderMismatch, PretrainedModelUnavailable, UnknownComponent
from trainer.evaluate.compare import compare_images
from trainer.evaluate.evaluation import Evaluation
from trainer.fit.config import TrainingConfig
from trainer.heads.mlp import MlpHead
from trainer.model_folder import ModelConfig, TripletSetSummary, load_model, save_model
from trainer.model_sources import SavedModelSource
from trainer.siamese_model import SiameseModel
from trainer.spaces.registry import SPACES, new_spaces
from trainer.spaces.saved_spaces import SavedSpace, open_saved_spaces, saved_spaces, space_slices
from trainer.spaces.side_by_side import GivenSpace, SpacesSideBySide
from trainer.spaces.space import ModelPlaces
from trainer.spaces.space_request import SpaceRequest
from workers.backends.protocol import ModelSource
from workers.backends.tiny import build_tiny_models

if TYPE_CHECKING:
    from pathlib import Path

LEVEL = {"strength": 0.5}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return build_tiny_models(tmp_path_factory.mktemp("models"))


def spaces(*texts: str, models: Path | None = None, clip: str | None = None, **levels: Any) -> SpacesSideBySide:
    config = CampaignConfig(level=levels or {"radical": LEVEL})
    places = ModelPlaces(config=config, models=models, clip=clip, frozen=lambda backend, model: f"{backend}-{len(model)}")
    return SpacesSideBySide(new_spaces([SpaceRequest.parse(text) for text in texts], places, "cpu"))


def pictures(count: int = 3) -> list[Image.Image]:
    random = np.random.default_rng(0)
    return [Image.fromarray(random.integers(0, 255, (40, 30 + number, 3), dtype=np.uint8)) for number in range(count)]


def test_the_three_kinds_are_registered() -> None:
    assert SPACES.names == ("clip", "latents", "vision")


def test_clip_and_latents_know_their_models_and_others_are_named(tmp_path: Path) -> None:
    found = spaces("clip", "latents", "vision:a/b@c#mean").spaces

    assert [space.source.location for space in found] == [
        "openai/clip-vit-base-patch32",
        "stabilityai/stable-diffusion-xl-refiner-1.0",
        "a/b",
    ]
    assert [space.source.revision for space in found] == [None, "sdxl-43", "c"]
    assert {space.source.dtype for space in found} == {"float32"}
    assert [space.form for space in found] == ["", "latents-32", "vision-mean"]
    local = spaces("clip", "latents", models=tmp_path, radical={**LEVEL, "model": "local:refiner"}).spaces
    assert [space.source.location for space in local] == [str(tmp_path / "clip"), str(tmp_path / "refiner")]
    assert spaces("clip", clip="other/clip").spaces[0].source.location == "other/clip"


def test_the_generator_of_most_levels_counts() -> None:
    first, other = ({**LEVEL, "model": model} for model in ("a/first", "b/other"))

    assert spaces("latents", one=first, two=other, three=other).spaces[0].source.location == "b/other"
    assert spaces("latents", one=first, two=other).spaces[0].source.location == "a/first"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("latents", PretrainedModelUnavailable, "no level of the campaign repaints with SDXL"),
        ("vision", PretrainedModelUnavailable, "name a model, such as vision:"),
        ("vision:a/b#middle", UnknownComponent, "choose pooled, cls, mean"),
        ("latents:a/b#5", UnknownComponent, "choose a divisor of 32"),
        ("clip#mean", UnknownComponent, "clip has no option"),
        ("depth", UnknownComponent, "no installed package offers the space 'depth'; known: clip, latents, vision"),
    ],
)
def test_a_space_that_cannot_be_is_told_in_one_line(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        spaces(text, radical={**LEVEL, "backend": "fake-repaint"})


@pytest.fixture
def folder(models: Path, tmp_path: Path) -> Path:
    """A model on tiny CLIP and tiny latents."""
    torch.manual_seed(0)
    found = spaces("clip", f"latents:{models}/refiner#16", models=models)
    found.load()
    config = ModelConfig(
        dimension=found.dimension,
        campaign="studies",
        clip=SavedModelSource(location=str(models / "clip"), revision=found.spaces[0].revision, dtype="float32"),
        spaces=saved_spaces(found.slices),
        training=TrainingConfig(hidden=16, out=8),
        triplets=TripletSetSummary(name="studies/80-20/abc", content_hash="f" * 64, seed=3, recipe={}),
        temperature=0.07,
        best_epoch=1,
        metrics=Evaluation(scores=()),
    )
    save_model(tmp_path / "model", MlpHead(dimension=found.dimension, hidden=16, out=8), config, [])
    return tmp_path / "model"


def test_a_saved_model_names_its_spaces_and_builds_the_same_vector_from_them(folder: Path, models: Path) -> None:
    config = load_model(folder).config
    trained = spaces("clip", f"latents:{models}/refiner#16", models=models)
    trained.load()

    reopened = open_saved_spaces(config.embedded_in, None, "cpu")
    reopened.load()

    assert (config.format, [space.name for space in config.spaces]) == (2, ["clip", "latents:refiner#16"])
    assert space_slices(config.spaces) == trained.slices == reopened.slices
    assert config.dimension == 512 + 4 * 16 * 16
    np.testing.assert_array_equal(reopened.embed_images(pictures()), trained.embed_images(pictures()))
    assert "latents:refiner#16" in (folder / "README.md").read_text()


def test_a_model_compares_in_its_spaces_and_shows_frozen_clip_beside(folder: Path, models: Path) -> None:
    model = SiameseModel(load_model(folder), device="cpu")
    one, other = pictures(2)

    compared, vectors, seen = model.compare(one, other), model.embed([one, other]), model.embed_views([one, other], "mirror")

    assert compared.cosine == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-5)
    clip = spaces("clip", models=models)
    clip.load()
    frozen = clip.embed_images([one, other])
    assert compared.clip_cosine == pytest.approx(float(frozen[0] @ frozen[1]), abs=1e-5)
    assert seen.shape == (2, 2, 8)
    np.testing.assert_allclose(seen[:, 0], vectors, atol=1e-5)
    assert not np.allclose(seen[:, 0], seen[:, 1], atol=1e-3)


def test_local_models_given_instead_are_found_by_their_folders(folder: Path, models: Path, tmp_path: Path) -> None:
    facts = json.loads((folder / "config.json").read_text())
    for space in facts["spaces"]:
        space["location"] = f"/elsewhere/{space['location'].removeprefix('local:')}"
    (folder / "config.json").write_text(json.dumps(facts))

    assert SiameseModel(load_model(folder), models=models, device="cpu").embed(pictures()).shape == (3, 8)


def test_other_spaces_than_its_own_are_refused_by_name(folder: Path) -> None:
    model = load_model(folder)
    images = (pictures()[0], pictures()[1])
    source = ModelSource(location="fake")
    clip = GivenSpace(name="clip", source=source, embedder=FakeEmbedder(str(model.config.clip.revision)))
    latents = GivenSpace(name="latents:refiner#16", source=source, embedder=FakeEmbedder("another"))

    with pytest.raises(EmbedderMismatch, match="trained on the spaces clip, latents:refiner#16, those given are clip"):
        compare_images(model, images, embedder=clip.embedder, captioner=None)
    with pytest.raises(EmbedderMismatch, match=r"trained on latents:refiner#16 .* at sha256:.*, the one loaded is another"):
        compare_images(model, images, embedder=SpacesSideBySide([clip, latents]), captioner=None)


def test_a_folder_of_format_1_is_of_clip_alone(folder: Path, models: Path) -> None:
    facts = json.loads((folder / "config.json").read_text())
    del facts["spaces"]
    (folder / "config.json").write_text(json.dumps(facts | {"format": 1}))

    (only,) = load_model(folder).config.embedded_in

    revision = facts["clip"]["revision"]
    assert only == SavedSpace(name="clip", location=str(models / "clip"), revision=revision, dimension=1536)


def test_spaces_that_do_not_fill_the_heads_vector_are_refused(folder: Path) -> None:
    facts = json.loads((folder / "config.json").read_text())
    facts["spaces"][1]["dimension"] -= 1
    (folder / "config.json").write_text(json.dumps(facts))

    with pytest.raises(BadModelFolder, match="the spaces have 1535 columns, the head takes 1536"):
        load_model(folder)
    with pytest.raises(ValidationError):
        SavedSpace(name="clip", location="a", dimension=0)
