"""CLIP embeddings of images and texts, for the trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import AutoImageProcessor, CLIPModel, CLIPTokenizer

from workers.backends.devices import choose_dtype, device_errors, release
from workers.backends.sources import TRANSFORMERS_FILES, loading, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image

    from workers.backends.protocol import ModelSource


class ClipEmbedder:
    """Embeds images and texts into CLIP's shared space; not a stage's backend.

    Vectors are projected and not normalised, float32 of shape (N, `dimension`). Images go through the model's own processor: the shorter
    side scaled, the centre cropped, so the ends of a very long image are not seen. The caller chooses the batch: all given are computed
    at once.
    """

    def __init__(self, *, model: ModelSource, device: str) -> None:
        self.source = model
        self.device = device
        #: The commit that was loaded, or "sha256:..." of a local directory; "" before `load`.
        self.revision = ""
        #: Length of a vector; 0 before `load`.
        self.dimension = 0
        #: The most tokens of a text that are read, with begin and end; 0 before `load`.
        self.text_limit = 0
        self._model: Any = None
        self._processor: Any = None
        self._tokenizer: Any = None

    def load(self) -> None:
        """Bring the model onto the device. Raises `ModelUnavailable` or `OutOfMemory`."""
        found = resolve(self.source, TRANSFORMERS_FILES)
        dtype = choose_dtype(self.source, self.device)
        local = {"local_files_only": True}
        with loading(self.source), device_errors():
            self._processor = AutoImageProcessor.from_pretrained(found.directory, backend="pil", **local)
            self._tokenizer = CLIPTokenizer.from_pretrained(found.directory, **local)
            model = CLIPModel.from_pretrained(found.directory, dtype=dtype, use_safetensors=True, **local)
            self._model = model.to(self.device).eval()
        self.dimension = int(model.config.projection_dim)
        self.text_limit = int(model.config.text_config.max_position_embeddings)
        self.revision = found.revision

    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """RGB images of any size to (N, dimension). Raises `OutOfMemory` or `TransientFailure`."""
        if not images:
            return np.zeros((0, self.dimension), np.float32)
        with device_errors(), torch.inference_mode():
            pixels = self._processor(images=list(images), return_tensors="pt")["pixel_values"]
            return _vectors(self._model.get_image_features(pixel_values=pixels.to(self.device, self._model.dtype)))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts, cut at the model's 77 tokens, to (N, dimension). Raises `OutOfMemory` or `TransientFailure`."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        with device_errors(), torch.inference_mode():
            tokens = self._tokenizer(list(texts), padding=True, truncation=True, max_length=self.text_limit, return_tensors="pt")
            return _vectors(self._model.get_text_features(**tokens.to(self.device)))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The whole length of each text in tokens, with begin and end, nothing cut."""
        return [len(ids) for ids in self._tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]] if texts else []

    def unload(self) -> None:
        """Free the device."""
        self._model = self._processor = self._tokenizer = None
        release()


def _vectors(output: Any) -> NDArray[np.float32]:
    # transformers 5 wraps what version 4 gave as a tensor.
    vectors = getattr(output, "pooler_output", output)
    array: NDArray[np.float32] = vectors.float().cpu().numpy()
    return array
