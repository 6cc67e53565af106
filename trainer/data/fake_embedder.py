"""A deterministic embedder that needs no model: for tests, and to try the trainer's machinery in milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL.Image import Resampling

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from PIL.Image import Image

_SIDE = 6


class FakeEmbedder:
    """An image's vector is its thumbnail: similar images have similar vectors."""

    dimension = _SIDE * _SIDE * 3

    def __init__(self, revision: str = "fake-1") -> None:
        self.revision = revision
        #: Images embedded so far.
        self.embedded = 0

    def load(self) -> None:
        """Nothing to load."""

    def embed_images(self, images: Sequence[Image]) -> npt.NDArray[np.float32]:
        """(N, 108): pixels of a 6 x 6 thumbnail, from -1 to 1."""
        self.embedded += len(images)
        small = [np.asarray(image.convert("RGB").resize((_SIDE, _SIDE), Resampling.BOX), dtype=np.float32) for image in images]
        return np.stack([pixels.ravel() / 127.5 - 1.0 for pixels in small])
