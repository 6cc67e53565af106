from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from trainer.calibration.calibration import ModelCalibration, PairCalibration, write_calibration
from trainer.calibration.curve import CalibrationCurve, CalibrationMethod
from trainer.data.fake_embedder import FakeEmbedder
from trainer.errors import BadImageFile, BadModelFolder, EmbedderMismatch, UnknownComponent
from trainer.evaluate.compare import compare_images, open_image
from trainer.evaluate.evaluation import Evaluation
from trainer.fit.config import TrainingConfig
from trainer.heads.closed_form import ClosedFormHead, FittingPairs
from trainer.heads.fused import FusedHead
from trainer.heads.mlp import MlpHead
from trainer.heads.registry import new_head
from trainer.model_folder import ModelConfig, TripletSetSummary, load_model, save_model, seen_groups
from trainer.model_sources import SavedModelSource
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
        clip=SavedModelSource(location="fake", revision="fake-1"),
        captioner=SavedModelSource(location="echo", settings={"max_new_tokens": 7}),
        training=TrainingConfig(hidden=16, out=8),
        triplets=TripletSetSummary(name="studies/80-20/abc", content_hash="f" * 64, seed=3, recipe={"per_repaint": 4}),
        temperature=0.07,
        best_epoch=12,
        metrics=Evaluation(scores=()),
    )
    save_model(tmp_path / "model", MlpHead(dimension=FakeEmbedder.dimension, hidden=16, out=8), config, ["g2", "g1"])
    return tmp_path / "model"


def changed(folder: Path, **changes: object) -> None:
    facts = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**facts, **changes}))


class EchoCaptioner:
    """Answers with the settings it was given and the image's corner pixel."""

    def load(self) -> None: ...

    def run(self, batch: Sequence[CaptionRequest], settings: Blip2Settings) -> Sequence[CaptionResult]:
        return [CaptionResult(text=f"{settings.max_new_tokens} {request.image.getpixel((0, 0))}") for request in batch]


def two_images() -> tuple[Image.Image, Image.Image]:
    random = np.random.default_rng(0)
    one, other = (Image.fromarray(random.integers(0, 255, (20, 20, 3), dtype=np.uint8)) for _ in range(2))
    return one, other


def test_a_saved_model_comes_back_whole(folder: Path) -> None:
    torch.manual_seed(0)
    head = MlpHead(dimension=FakeEmbedder.dimension, hidden=16, out=8).eval()
    vectors = torch.randn(3, FakeEmbedder.dimension)

    model = load_model(folder)

    assert torch.equal(model.head(vectors), head(vectors))
    assert not model.head.training
    assert (model.config.triplets.seed, model.config.temperature, model.config.best_epoch) == (3, 0.07, 12)
    assert seen_groups(folder) == {"g1", "g2"}
    assert "studies" in (folder / "README.md").read_text()


def test_a_model_saved_before_loss_and_head_existed_loads_with_the_defaults(folder: Path) -> None:
    saved = json.loads((folder / "config.json").read_text())
    later = {"loss", "head", "recipe", "parts", "steps", "components"}
    changed(folder, training={name: value for name, value in saved["training"].items() if name not in later})

    model = load_model(folder)

    assert (model.config.training.loss, model.config.training.head) == ("contrastive", "mlp")
    assert model.config.triplets.negative_strategy == "other-style"


def test_a_model_of_an_earlier_version_gives_the_vectors_that_it_gave(folder: Path) -> None:
    """Its head took vectors of length 1: nothing in its weights tells, but its configuration names no recipe."""
    saved = json.loads((folder / "config.json").read_text())
    changed(folder, training={name: value for name, value in saved["training"].items() if name != "recipe"})
    head = load_model(folder).head
    assert isinstance(head, MlpHead)
    vectors = torch.randn(3, FakeEmbedder.dimension)

    given = torch.nn.functional.normalize(head.layers(torch.nn.functional.normalize(vectors, dim=-1)), dim=-1)

    assert torch.equal(load_model(folder).head(vectors), given)
    changed(folder, training=saved["training"])
    assert not torch.allclose(load_model(folder).head(vectors), given, atol=1e-3)


@pytest.mark.parametrize("training", [TrainingConfig(head="pair-whitening"), TrainingConfig(head="fused")], ids=["one", "parts"])
def test_a_head_in_closed_form_comes_back_with_what_was_fitted(training: TrainingConfig, folder: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    originals = random.normal(size=(9, FakeEmbedder.dimension)).astype(np.float32)
    pairs = FittingPairs(
        originals=originals,
        repaints=originals + random.normal(size=originals.shape).astype(np.float32),
        original_of_repaint=np.arange(9),
        groups=np.arange(9),
    )
    training = training.in_spaces({"clip": 100, "latents": 8})
    head = new_head(FakeEmbedder.dimension, training).eval()
    whole = [(head, slice(None))]
    for part, columns in zip(head.parts, head.columns, strict=True) if isinstance(head, FusedHead) else whole:
        assert isinstance(part, ClosedFormHead)
        part.fit(pairs.of_columns(columns))
    config = load_model(folder).config.model_copy(update={"training": training, "best_epoch": 0})

    save_model(tmp_path / "closed", head, config, [])
    again = load_model(tmp_path / "closed")

    vectors = torch.from_numpy(pairs.repaints)
    assert torch.equal(again.head(vectors), head(vectors))
    assert again.config.training == training
    assert "in closed form" in (tmp_path / "closed" / "README.md").read_text()
    changed(tmp_path / "closed", dimension=99)
    if not training.parts:
        with pytest.raises(BadModelFolder, match=r"mean is \(108,\), expected \(99,\)"):
            load_model(tmp_path / "closed")


def test_a_folder_of_format_1_with_the_paths_of_its_machine_loads_as_it_did(folder: Path) -> None:
    source = {"location": "/home/somebody/clip", "revision": "fake-1", "dtype": "float32", "settings": {}}
    changed(folder, format=1, clip=source)

    assert load_model(folder).config.clip.model_dump() == source


def test_the_folder_names_no_path_but_this_machine_finds_its_local_models_again(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "models" / "clip").mkdir(parents=True)
    local = SavedModelSource(location=str(tmp_path / "models" / "clip"), revision="sha256:12")
    model = load_model(folder)
    save_model(folder, model.head, model.config.model_copy(update={"clip": local}), [])

    for name in ("config.json", "README.md", "groups.json", "modules.json"):
        assert str(tmp_path) not in (folder / name).read_text()
    assert json.loads((folder / "config.json").read_text())["clip"]["location"] == "local:clip"
    assert load_model(folder).config.clip == local
    (folder / "local_models.json").unlink()
    assert load_model(folder).config.clip.location == "local:clip"


def test_a_model_whose_head_is_not_installed_is_refused_by_name(folder: Path) -> None:
    saved = json.loads((folder / "config.json").read_text())
    changed(folder, training={**saved["training"], "head": "absent"})

    with pytest.raises(UnknownComponent, match=r"the head 'absent'; known: .*mlp"):
        load_model(folder)


def test_an_image_is_most_similar_to_itself(folder: Path) -> None:
    one, other = two_images()
    model = load_model(folder)

    same = compare_images(model, (one, one), embedder=FakeEmbedder(), captioner=None)
    different = compare_images(model, (one, other), embedder=FakeEmbedder(), captioner=None)

    assert same.cosine == pytest.approx(1, abs=1e-5)
    assert same.clip_cosine == pytest.approx(1, abs=1e-5)
    assert different.cosine < 0.99
    assert set(different.as_json()) == {"cosine", "clip_cosine", "captions", "probability", "interval", "words"}
    assert different.captions == (None, None)


def test_the_probability_of_a_comparison_comes_from_the_models_own_calibration(folder: Path) -> None:
    one, other = two_images()
    before = compare_images(load_model(folder), (one, other), embedder=FakeEmbedder(), captioner=None)
    counts = {"positives": 9, "negatives": 9, "artists": 9}
    knots = {"scores": (-1.0, before.cosine, 1.0), "probabilities": (0, 0.1, 1), "low": (0, 0, 1), "high": (0, 0.3, 1)}
    curve = CalibrationCurve.model_validate({"method": CalibrationMethod.PLATT, **knots, **counts})
    write_calibration(folder, ModelCalibration(seed=0, pairs=PairCalibration(curve=curve)))

    after = compare_images(load_model(folder), (one, other), embedder=FakeEmbedder(), captioner=None)

    assert (before.probability, before.interval, before.words) == (None, None, None)
    assert after.probability == pytest.approx(0.1)
    assert after.interval == pytest.approx((0, 0.3))
    assert after.words == "probably not an original and its repaint"
    assert after.as_json()["interval"] == pytest.approx([0, 0.3])


def test_each_image_gets_its_own_caption_with_the_campaigns_settings(folder: Path) -> None:
    one, other = two_images()

    captions = compare_images(load_model(folder), (one, other), embedder=FakeEmbedder(), captioner=EchoCaptioner()).captions

    assert captions == (f"7 {one.getpixel((0, 0))}", f"7 {other.getpixel((0, 0))}")


def test_comparing_with_another_clip_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(EmbedderMismatch, match="fake at fake-1, the one loaded is fake-2"):
        compare_images(load_model(folder), two_images(), embedder=FakeEmbedder("fake-2"), captioner=None)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), r"holds no config\.json"),
        (lambda folder: (folder / "model.safetensors").unlink(), r"model\.safetensors is missing"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"PK\x03\x04"), "not a safetensors file"),
        (lambda folder: (folder / "config.json").write_text("{}"), "dimension: Field required"),
        (lambda folder: (folder / "config.json").write_text("not json"), "not the configuration of a trained model"),
        (lambda folder: changed(folder, format=99), "format"),
        (lambda folder: changed(folder, dimension=99), r"layers\.0\.weight is \(16, 108\), expected \(16, 99\)"),
    ],
)
def test_a_damaged_model_folder_is_refused_in_one_line_that_says_why(folder: Path, damage: object, message: str) -> None:
    damage(folder)  # type: ignore[operator]

    with pytest.raises(BadModelFolder, match=message) as caught:
        load_model(folder)

    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_an_image_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("hello")

    with pytest.raises(BadImageFile, match=r"note\.txt is not an image"):
        open_image(tmp_path / "note.txt")
    with pytest.raises(BadImageFile, match=r"gone\.png cannot be read"):
        open_image(tmp_path / "gone.png")
