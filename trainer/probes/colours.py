"""What can be told by colours alone: a probe that counts them and does not know where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from PIL.Image import Image

#: Bins of each of red, green and blue.
_BINS = 8
#: Pixels of the longer side that are counted: enough for shares of colours.
_SIDE = 256


class ColourHistogram:
    """An embedder whose vector is the square root of a picture's share of each of 8 x 8 x 8 colours.

    Such vectors have length 1, and their cosine is the Bhattacharyya coefficient of the histograms, sum of sqrt(p q): 1 for equal shares.
    As an embedder it is read, cached and cut to the shown part as every space is.
    """

    #: Incremented when the histogram is computed in another way.
    revision = "rgb-8-256-1"
    #: Name of its space in the cache.
    model = "colour-histogram"
    #: Colours that are counted.
    dimension = _BINS**3

    def load(self) -> None:
        """Nothing to load."""

    def embed_images(self, images: Sequence[Image]) -> npt.NDArray[np.float32]:
        """(N, 512) float32."""
        return np.stack([_root_shares(image) for image in images]) if images else np.zeros((0, _BINS**3), dtype=np.float32)


def _root_shares(image: Image) -> npt.NDArray[np.float32]:
    small = image.convert("RGB")
    small.thumbnail((_SIDE, _SIDE))
    bins = (np.asarray(small, dtype=np.int64) * _BINS) // 256
    colours = (bins[..., 0] * _BINS + bins[..., 1]) * _BINS + bins[..., 2]
    counts = np.bincount(colours.ravel(), minlength=_BINS**3)
    roots: npt.NDArray[np.float32] = np.sqrt(counts / counts.sum()).astype(np.float32)
    return roots
