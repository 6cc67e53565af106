from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from trainer.comparison import compare_pictures, open_picture
from trainer.configuration import TrainingConfig
from trainer.errors import BadModelFolder, BadPicture, OtherEmbedder
from trainer.evaluation import Evaluation
from trainer.fakes import FakeEmbedder
from trainer.head import SiameseHead
from trainer.model_folder import ModelConfig, TripletFacts, learned_groups, load_model, save_model
from trainer.sources import Source
from workers.backends.protocol import CaptionRequest, CaptionResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workers.backends.settings import Blip2Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    config = ModelConfig(
        dimension=FakeEmbedder.dimension,
        campaign="studies",
        clip=Source(location="fake", revision="fake-1"),
        captioner=Source(location="says", settings={"max_new_tokens": 7}),
        training=TrainingConfig(hidden=16, out=8),
        triplets=TripletFacts(name="studies/80-20/abc", content_hash="f" * 64, seed=3, recipe={"per_repaint": 4}),
        temperature=0.07,
        best_epoch=12,
        metrics=Evaluation(scores=()),
    )
    save_model(tmp_path / "model", SiameseHead(dimension=FakeEmbedder.dimension, hidden=16, out=8), config, ["g2", "g1"])
    return tmp_path / "model"


def changed(folder: Path, **changes: object) -> None:
    facts = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**facts, **changes}))


class Says:
    """Answers with the settings it was given and the picture's corner."""

    def load(self) -> None: ...

    def run(self, batch: Sequence[CaptionRequest], settings: Blip2Settings) -> Sequence[CaptionResult]:
        return [CaptionResult(text=f"{settings.max_new_tokens} {request.image.getpixel((0, 0))}") for request in batch]


def pictures() -> tuple[Image.Image, Image.Image]:
    random = np.random.default_rng(0)
    one, other = (Image.fromarray(random.integers(0, 255, (20, 20, 3), dtype=np.uint8)) for _ in range(2))
    return one, other


def test_a_saved_model_comes_back_whole(folder: Path) -> None:
    torch.manual_seed(0)
    head = SiameseHead(dimension=FakeEmbedder.dimension, hidden=16, out=8).eval()
    vectors = torch.randn(3, FakeEmbedder.dimension)

    model = load_model(folder)

    assert torch.equal(model.head(vectors), head(vectors))
    assert not model.head.training
    assert (model.config.triplets.seed, model.config.temperature, model.config.best_epoch) == (3, 0.07, 12)
    assert learned_groups(folder) == {"g1", "g2"}
    assert "studies" in (folder / "README.md").read_text()


def test_a_picture_is_like_itself_and_less_like_another(folder: Path) -> None:
    one, other = pictures()
    model = load_model(folder)

    same = compare_pictures(model, (one, one), embedder=FakeEmbedder(), captioner=None)
    different = compare_pictures(model, (one, other), embedder=FakeEmbedder(), captioner=None)

    assert same.cosine == pytest.approx(1, abs=1e-5)
    assert same.clip_cosine == pytest.approx(1, abs=1e-5)
    assert different.cosine < 0.99
    assert set(different.as_json()) == {"cosine", "clip_cosine", "captions"}
    assert different.captions == (None, None)


def test_each_picture_gets_its_own_caption_as_the_campaign_asked_for_it(folder: Path) -> None:
    one, other = pictures()

    captions = compare_pictures(load_model(folder), (one, other), embedder=FakeEmbedder(), captioner=Says()).captions

    assert captions == (f"7 {one.getpixel((0, 0))}", f"7 {other.getpixel((0, 0))}")


def test_another_clip_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(OtherEmbedder, match="fake at fake-1, the one at hand is fake-2"):
        compare_pictures(load_model(folder), pictures(), embedder=FakeEmbedder("fake-2"), captioner=None)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), r"holds no config\.json"),
        (lambda folder: (folder / "model.safetensors").unlink(), r"model\.safetensors is missing"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"PK\x03\x04"), "no safetensors file"),
        (lambda folder: (folder / "config.json").write_text("{}"), "dimension: Field required"),
        (lambda folder: (folder / "config.json").write_text("not json"), "no configuration of a trained model"),
        (lambda folder: changed(folder, format=2), "format"),
        (lambda folder: changed(folder, dimension=99), r"layers\.0\.weight is \(16, 108\), expected \(16, 99\)"),
    ],
)
def test_a_damaged_folder_is_refused_in_one_line_that_says_why(folder: Path, damage: object, message: str) -> None:
    damage(folder)  # type: ignore[operator]

    with pytest.raises(BadModelFolder, match=message) as caught:
        load_model(folder)

    assert "\n" not in str(caught.value)


def test_a_picture_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("hello")

    with pytest.raises(BadPicture, match=r"note\.txt is no picture"):
        open_picture(tmp_path / "note.txt")
    with pytest.raises(BadPicture, match=r"gone\.png cannot be read"):
        open_picture(tmp_path / "gone.png")
