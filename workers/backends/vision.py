"""Vectors of images by any vision tower that `AutoModel` knows: CLIP, SigLIP, DINOv2 and v3, AIMv2, ViT, Swin, ConvNeXt, timm.

One rule for all: the projected features where the model has them (`get_image_features`), else what it pools (`pooler_output`), else the CLS
token; or, as the caller chooses, the CLS token or the mean of the patches.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from transformers import AutoConfig, AutoImageProcessor, AutoModel, ViTImageProcessorPil

from workers.backends.devices import choose_dtype, device_errors, release
from workers.backends.errors import ModelUnavailable
from workers.backends.sources import TRANSFORMERS_FILES, loading, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from workers.backends.protocol import ModelSource

#: What an image processor gives that a tower takes: pixels, and for pictures of varying numbers of patches their mask and shape.
_INPUTS = ("pixel_values", "pixel_attention_mask", "spatial_shapes")

#: Image processors that exist for torchvision alone, which need not be installed. Another one does the same with PIL: resized, scaled,
#: normalised by the model's own numbers.
_PIL_INSTEAD = {"DINOv3ViTImageProcessor": ViTImageProcessorPil, "DINOv3ViTImageProcessorFast": ViTImageProcessorPil}

#: Side of the picture that is tried at `load`.
_TRIED = 64

#: Dimensions of pixels (N, 3, height, width), and of what a convolutional tower gives (N, channels, height, width).
_SPATIAL = 4


class Pooling(StrEnum):
    """How a picture's patches become one vector."""

    #: As the model does it itself.
    POOLED = "pooled"
    #: The CLS token.
    CLS = "cls"
    #: The mean of the patch tokens, without CLS and register tokens.
    MEAN = "mean"


class VisionEmbedder:
    """Embeds images by a vision tower; not a stage's backend.

    Vectors are not normalised, float32 of shape (N, `dimension`). Images go through the model's own processor. The weights are safetensors,
    no code of a repository is run. The caller chooses the batch: all given are computed at once.
    """

    def __init__(self, *, model: ModelSource, device: str, pooling: Pooling = Pooling.POOLED) -> None:
        self.source = model
        self.device = device
        self.pooling = pooling
        #: The commit that was loaded, or "sha256:..." of a local directory; "" before `load`.
        self.revision = ""
        #: Length of a vector; 0 before `load`.
        self.dimension = 0
        self._model: Any = None
        self._processor: Any = None

    def load(self) -> None:
        """Bring the model onto the device and try one picture. Raises `ModelUnavailable` or `OutOfMemory`."""
        found = resolve(self.source, TRANSFORMERS_FILES)
        dtype = choose_dtype(self.source, self.device)
        with loading(self.source), device_errors():
            self._processor = _processor(found.directory)
            config = AutoConfig.from_pretrained(found.directory, local_files_only=True, trust_remote_code=False)
            model, facts = AutoModel.from_pretrained(
                found.directory,
                config=config,
                dtype=dtype,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
            self._check_weights(facts["missing_keys"])
            self._model = model.to(self.device).eval()
            self.dimension = int(self._embed([Image.new("RGB", (_TRIED, _TRIED), (128, 128, 128))]).shape[1])
        self.revision = found.revision

    def embed_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """RGB images of any size to (N, dimension). Raises `OutOfMemory` or `TransientFailure`."""
        if not images:
            return np.zeros((0, self.dimension), np.float32)
        with device_errors():
            return self._embed(images)

    def unload(self) -> None:
        """Free the device."""
        self._model = self._processor = None
        release()

    def _check_weights(self, missing: Sequence[str]) -> None:
        """What a checkpoint lacks the model class fills with random numbers, and says so in a log only."""
        if self.pooling is not Pooling.POOLED:
            missing = [name for name in missing if not name.startswith("pooler.") and ".pooler." not in name]
        if missing:
            mend = ": use its CLS token or the mean of its patches" if all("pooler." in name for name in missing) else ""
            raise ModelUnavailable(f"{self.source.location} has no weights for {min(missing)}{mend}")

    @torch.inference_mode()
    def _embed(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        prepared = self._processor(images=list(images), return_tensors="pt")
        inputs = {name: prepared[name].to(self.device) for name in _INPUTS if name in prepared}
        inputs["pixel_values"] = inputs["pixel_values"].to(self._model.dtype)
        vectors = self._pooled(inputs) if self.pooling is Pooling.POOLED else self._from_tokens(inputs)
        if vectors.ndim != 2 or len(vectors) != len(images):  # noqa: PLR2004  # (N, dimension)
            raise ModelUnavailable(
                f"{self.source.location} gives no one vector a picture, but {tuple(vectors.shape)}: choose another model"
            )
        array: NDArray[np.float32] = vectors.float().cpu().numpy()
        return array

    def _pooled(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        if hasattr(self._model, "get_image_features"):
            features = self._model.get_image_features(**inputs)
            projected: torch.Tensor = getattr(features, "pooler_output", features)  # transformers 5 wraps what version 4 gave as a tensor
            return projected
        output = self._model(**inputs)
        pooled: torch.Tensor | None = getattr(output, "pooler_output", None)
        return output.last_hidden_state[:, 0] if pooled is None else pooled.flatten(1)

    def _from_tokens(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """The CLS token or the mean of the patches; patches come last, after CLS and registers."""
        tower = getattr(self._model, "vision_model", self._model)
        states: torch.Tensor = tower(**inputs).last_hidden_state
        pixels = inputs["pixel_values"]
        if pixels.ndim != _SPATIAL:
            raise ModelUnavailable(f"{self.source.location} takes pictures of varying numbers of patches: only its own pooling fits")
        if states.ndim == _SPATIAL:
            states = states.flatten(2).transpose(1, 2)
        before = _tokens_before_patches(tower.config, pixels, states.shape[1])
        if self.pooling is Pooling.MEAN:
            return states[:, before:].mean(1)
        if not before:
            raise ModelUnavailable(f"{self.source.location} has no CLS token: use its own pooling or the mean of its patches")
        return states[:, 0]


def _tokens_before_patches(config: Any, pixels: torch.Tensor, tokens: int) -> int:
    """How many tokens (CLS, registers) stand before the patches; none in towers that merge patches on the way."""
    side = getattr(config, "patch_size", None)
    if not isinstance(side, int):
        return 0
    patches = (pixels.shape[-2] // side) * (pixels.shape[-1] // side)
    return max(0, tokens - patches)


def _processor(directory: Path) -> Any:
    path = directory / "preprocessor_config.json"
    facts = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}  # timm keeps it in config.json
    substitute = _PIL_INSTEAD.get(facts.get("image_processor_type", ""))
    if substitute is not None:
        return substitute.from_pretrained(directory, local_files_only=True)
    return AutoImageProcessor.from_pretrained(directory, backend="pil", local_files_only=True, trust_remote_code=False)
