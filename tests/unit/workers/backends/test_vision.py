from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from transformers import (
    Aimv2VisionConfig,
    Aimv2VisionModel,
    BitImageProcessorPil,
    CLIPImageProcessorPil,
    ConvNextV2Config,
    ConvNextV2Model,
    Dinov2Config,
    Dinov2Model,
    DINOv3ViTConfig,
    DINOv3ViTModel,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
    SwinConfig,
    SwinModel,
    ViTConfig,
    ViTImageProcessorPil,
    ViTModel,
)

from workers.backends import ModelSource, ModelUnavailable
from workers.backends.clip import ClipEmbedder
from workers.backends.vision import Pooling, VisionEmbedder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PIL.Image import Image

SIDE = 32
_SMALL: dict[str, Any] = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
_VIT: dict[str, Any] = {**_SMALL, "image_size": SIDE, "patch_size": 8}
_SQUARE: dict[str, Any] = {"size": {"height": SIDE, "width": SIDE}}
_CUT: dict[str, Any] = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}}


def _siglip() -> Any:
    text = {**_SMALL, "vocab_size": 32, "max_position_embeddings": 8, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    return SiglipModel(SiglipConfig(text_config=text, vision_config=_VIT))


def _dinov2() -> Any:
    return Dinov2Model(Dinov2Config(**{key: value for key, value in _VIT.items() if key != "intermediate_size"}))


def _swin() -> Any:
    return SwinModel(SwinConfig(image_size=SIDE, patch_size=4, embed_dim=12, depths=[1, 1], num_heads=[2, 2], window_size=4))


def _convnext() -> Any:
    return ConvNextV2Model(ConvNextV2Config(num_stages=2, hidden_sizes=[8, 16], depths=[1, 1], image_size=SIDE))


#: Each with its image processor, the length of its vectors, and which poolings it has.
TOWERS: dict[str, tuple[Callable[[], Any], Callable[[], Any], int, set[str]]] = {
    "siglip": (_siglip, lambda: SiglipImageProcessorPil(**_SQUARE), 24, {"pooled", "mean"}),
    "dinov2": (_dinov2, lambda: BitImageProcessorPil(**_CUT), 24, {"pooled", "cls", "mean"}),
    "dinov3": (
        lambda: DINOv3ViTModel(DINOv3ViTConfig(**{**_VIT, "hidden_size": 32}, num_register_tokens=4)),
        lambda: ViTImageProcessorPil(**_SQUARE),
        32,
        {"pooled", "cls", "mean"},
    ),
    "aimv2": (lambda: Aimv2VisionModel(Aimv2VisionConfig(**_VIT)), lambda: CLIPImageProcessorPil(**_CUT), 24, {"pooled", "mean"}),
    "vit": (lambda: ViTModel(ViTConfig(**_VIT)), lambda: ViTImageProcessorPil(**_SQUARE), 24, {"pooled", "cls", "mean"}),
    "swin": (_swin, lambda: ViTImageProcessorPil(**_SQUARE), 24, {"pooled", "mean"}),
    "convnext": (_convnext, lambda: ViTImageProcessorPil(**_SQUARE), 16, {"pooled", "mean"}),
}


@pytest.fixture(scope="module")
def towers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("towers")
    for name, (model, processor, _, _) in TOWERS.items():
        torch.manual_seed(0)
        model().save_pretrained(folder / name)
        processor().save_pretrained(folder / name)
    path = folder / "dinov3/preprocessor_config.json"  # as its repositories name it, which needs torchvision
    path.write_text(path.read_text().replace("ViTImageProcessor", "DINOv3ViTImageProcessor").replace("Pil", ""))
    return folder


def loaded(folder: Path, pooling: str = "pooled") -> VisionEmbedder:
    embedder = VisionEmbedder(model=ModelSource(location=str(folder), dtype="float32"), device="cpu", pooling=Pooling(pooling))
    embedder.load()
    return embedder


@pytest.mark.parametrize("name", list(TOWERS))
def test_any_tower_gives_one_vector_a_picture_whatever_its_pooling(towers: Path, scenes: list[Image], name: str) -> None:
    _, _, dimension, poolings = TOWERS[name]
    for pooling in ("pooled", "cls", "mean"):
        if pooling not in poolings:
            with pytest.raises(ModelUnavailable, match="no CLS token"):
                loaded(towers / name, pooling)
            continue
        embedder = loaded(towers / name, pooling)
        vectors = embedder.embed_images(scenes)
        assert (vectors.shape, vectors.dtype, embedder.dimension) == ((4, dimension), np.dtype("float32"), dimension)
        assert np.isfinite(vectors).all()
        assert len(np.unique(vectors.round(6), axis=0)) == 4, "different pictures have different vectors"
        np.testing.assert_allclose(embedder.embed_images(scenes[1:2])[0], vectors[1], atol=1e-4)
    assert embedder.revision.startswith("sha256:")
    assert embedder.embed_images([]).shape == (0, dimension)


def test_of_clip_it_is_the_projected_features_that_count(tiny: Path, scenes: list[Image]) -> None:
    clip = ClipEmbedder(model=ModelSource(location=str(tiny / "clip")), device="cpu")
    clip.load()

    np.testing.assert_array_equal(loaded(tiny / "clip").embed_images(scenes), clip.embed_images(scenes))


def test_cls_and_mean_are_the_models_own_tokens_without_registers(towers: Path, scenes: list[Image]) -> None:
    embedder = loaded(towers / "dinov3", "mean")
    model = DINOv3ViTModel.from_pretrained(towers / "dinov3").eval()
    pixels = ViTImageProcessorPil.from_pretrained(towers / "dinov3")(images=scenes, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        tokens = model(pixel_values=pixels).last_hidden_state

    assert tokens.shape[1] == 1 + 4 + (SIDE // 8) ** 2
    np.testing.assert_allclose(embedder.embed_images(scenes), tokens[:, 5:].mean(1).numpy(), atol=1e-5)
    np.testing.assert_allclose(loaded(towers / "dinov3", "cls").embed_images(scenes), tokens[:, 0].numpy(), atol=1e-5)


def test_weights_that_a_checkpoint_lacks_are_not_made_up(towers: Path, scenes: list[Image], tmp_path: Path) -> None:
    """A classifier's checkpoint has no pooler: the model class would fill it with random numbers and only log it."""
    ViTModel(ViTConfig(**_VIT), add_pooling_layer=False).save_pretrained(tmp_path)
    ViTImageProcessorPil(**_SQUARE).save_pretrained(tmp_path)

    with pytest.raises(ModelUnavailable, match=r"has no weights for pooler\.dense\.bias: use its CLS token"):
        loaded(tmp_path)
    assert loaded(tmp_path, "cls").embed_images(scenes).shape == (4, 24)


@pytest.mark.parametrize("broken", ["config.json", "model.safetensors"])
def test_what_cannot_be_loaded_is_told_in_one_line(towers: Path, tmp_path: Path, broken: str) -> None:
    for path in (towers / "vit").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes() if path.name != broken else b"{}")

    with pytest.raises(ModelUnavailable, match="cannot be loaded") as caught:
        loaded(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_repositorys_code_is_never_run(towers: Path, tmp_path: Path) -> None:
    for path in (towers / "vit").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = (tmp_path / "config.json").read_text().replace('"model_type": "vit"', '"model_type": "own"')
    (tmp_path / "config.json").write_text(config.replace("{", '{"auto_map": {"AutoConfig": "code.Own", "AutoModel": "code.Model"},', 1))
    (tmp_path / "code.py").write_text("raise SystemExit('ran')")

    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        loaded(tmp_path)
