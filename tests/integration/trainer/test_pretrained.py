"""Models as others get them: from a folder, from the hub, as a `SentenceTransformer`."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image
from sentence_transformers import SentenceTransformer

from paragone import SiameseModel
from tests.services.fake_model_hub import TOKEN, running_model_hub
from trainer.errors import BadModelFolder, ModelNotPublished, PretrainedModelUnavailable
from trainer.evaluate.evaluation import Evaluation
from trainer.fit.config import TrainingConfig
from trainer.heads.mlp import MlpHead
from trainer.model_folder import ModelConfig, TripletSetSummary, save_model
from trainer.model_sources import SavedModelSource, clip_source
from trainer.publishing.sentence_module import SiameseImageModule
from workers.backends.clip import ClipEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.fake_model_hub import ModelHub


@pytest.fixture(scope="module")
def folder(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model over the tiny CLIP, as a training leaves it: with a checkpoint beside it."""
    torch.manual_seed(0)
    embedder = ClipEmbedder(model=clip_source(tiny_models), device="cpu")
    embedder.load()
    config = ModelConfig(
        dimension=embedder.dimension,
        campaign="studies",
        clip=SavedModelSource(location=str(tiny_models / "clip"), revision=embedder.revision, dtype="float32"),
        training=TrainingConfig(hidden=16, out=8),
        triplets=TripletSetSummary(name="studies/80-20/abc", content_hash="f" * 64, seed=0, recipe={}),
        temperature=0.1,
        best_epoch=1,
        metrics=Evaluation(scores=()),
    )
    directory = tmp_path_factory.mktemp("trained") / "80-20"
    save_model(directory, MlpHead(dimension=embedder.dimension, hidden=16, out=8), config, ["g1"])
    (directory / "checkpoint.safetensors").write_bytes(b"large")
    (directory / "audit.json").write_text('{"made": "elsewhere"}')
    return directory


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    """Three of different sizes, so that sentence-transformers sorts them."""
    random = np.random.default_rng(0)
    return [Image.fromarray(random.integers(0, 255, (size, 30, 3), dtype=np.uint8)) for size in (20, 60, 40)]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModelHub]:
    """An empty hub that huggingface_hub speaks to, with a cache of its own and a token that may write."""
    with running_model_hub() as running:
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN", "HF_ENDPOINT", "PARAGONE_MODELS"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", running.endpoint)
        monkeypatch.setattr(
            "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", running.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield running


def test_a_model_written_for_others_gives_the_same_vectors_and_names_no_path(
    folder: Path, tiny_models: Path, images: list[Image.Image], tmp_path: Path
) -> None:
    model = SiameseModel.from_pretrained(folder)

    model.save_pretrained(tmp_path / "given")
    given = SiameseModel.from_pretrained(str(tmp_path / "given"), models=tiny_models)

    assert np.array_equal(given.embed(images), model.embed(images))
    names = {path.name for path in (tmp_path / "given").iterdir()}
    assert names == {"model.safetensors", "config.json", "README.md", "groups.json", "modules.json", "audit.json"}
    assert not [path for path in (tmp_path / "given").iterdir() if str(tiny_models).encode() in path.read_bytes()]


def test_an_edited_card_stays_and_a_folder_of_format_1_becomes_one_of_format_2(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "own")
    (tmp_path / "own" / "README.md").write_text("---\nlicense: mit\n---\n")
    SiameseModel.from_pretrained(tmp_path / "own").save_pretrained(tmp_path / "edited")
    facts = json.loads((tmp_path / "own" / "config.json").read_text())
    (tmp_path / "own" / "config.json").write_text(
        json.dumps({**facts, "format": 1, "clip": {**facts["clip"], "location": "/home/me/clip"}})
    )
    SiameseModel.from_pretrained(tmp_path / "own").save_pretrained(tmp_path / "newer")

    assert (tmp_path / "edited" / "README.md").read_text() == "---\nlicense: mit\n---\n"
    newer = json.loads((tmp_path / "newer" / "config.json").read_text())
    assert (newer["format"], newer["clip"]["location"]) == (2, "local:clip")
    assert "/home/me" not in (tmp_path / "newer" / "README.md").read_text()


def test_a_model_is_not_written_over_itself(folder: Path) -> None:
    with pytest.raises(ModelNotPublished, match="own folder"):
        SiameseModel.from_pretrained(folder).save_pretrained(folder / ".." / folder.name)


def test_a_model_goes_to_the_hub_and_comes_back(hub: ModelHub, folder: Path, tiny_models: Path, images: list[Image.Image]) -> None:
    model = SiameseModel.from_pretrained(folder)

    address = model.push_to_hub("somebody/likeness", private=True)
    first = hub.commit("somebody/likeness", "main")
    (folder / "audit.json").write_text('{"made": "later"}')
    model.push_to_hub("somebody/likeness")
    fetched = SiameseModel.from_pretrained("somebody/likeness", revision=first, models=tiny_models)

    assert address.endswith(f"somebody/likeness/commit/{first}")
    assert hub.private == {"somebody/likeness": True}
    assert "checkpoint.safetensors" not in hub.files("somebody/likeness")
    assert "local_models.json" not in hub.files("somebody/likeness")
    assert np.array_equal(fetched.embed(images), model.embed(images))
    assert json.loads((fetched.directory / "audit.json").read_text()) == {"made": "elsewhere"}
    assert fetched.directory.name == first


def test_without_a_right_token_nothing_is_sent_and_the_token_is_not_shown(
    hub: ModelHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SiameseModel.from_pretrained(folder)

    monkeypatch.setenv("HF_TOKEN", "hf_wrong_one")
    with pytest.raises(ModelNotPublished, match="somebody/likeness was not pushed") as caught:
        model.push_to_hub("somebody/likeness")
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(ModelNotPublished, match="set HF_TOKEN"):
        model.push_to_hub("somebody/likeness")
    with pytest.raises(ModelNotPublished, match="OWNER/NAME"):
        model.push_to_hub("likeness")

    assert "hf_wrong_one" not in str(caught.value)
    assert hub.commits == {}


def test_a_model_that_is_nowhere_is_refused_by_name(hub: ModelHub, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(PretrainedModelUnavailable, match="nobody/nothing is not on the hub"):
        SiameseModel.from_pretrained("nobody/nothing")
    with pytest.raises(BadModelFolder, match="neither the folder"):
        SiameseModel.from_pretrained(tmp_path / "gone")
    with pytest.raises(BadModelFolder, match="has no revisions"):
        SiameseModel.from_pretrained(folder, revision="main")


def test_sentence_transformers_encodes_images_to_the_vectors_of_embed(
    folder: Path, tiny_models: Path, images: list[Image.Image], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = SiameseModel.from_pretrained(folder)
    wanted = model.embed(images)

    transformer = model.sentence_transformer()
    assert np.allclose(transformer.encode(images), wanted, atol=1e-6)
    assert np.allclose(transformer.encode(images, batch_size=1), wanted, atol=1e-5)
    assert transformer.encode(images[0]).shape == (8,)
    assert transformer.get_embedding_dimension() == 8
    with pytest.raises(ValueError, match="text"):
        transformer.encode(["a sentence"])

    monkeypatch.setenv("PARAGONE_MODELS", str(tiny_models))
    model.save_pretrained(tmp_path / "given")
    by_parts = SentenceTransformer(modules=[SiameseImageModule.from_pretrained(tmp_path / "given")])
    by_path = SentenceTransformer(str(tmp_path / "given"), trust_remote_code=True, local_files_only=True)
    assert np.allclose(by_parts.encode(images), wanted, atol=1e-6)
    assert np.allclose(by_path.encode(images), wanted, atol=1e-6)
