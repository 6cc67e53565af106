"""Difference hash: 64 bits that stay nearly the same when a picture is scaled, compressed or slightly recoloured.

Neal Krawetz, "Kind of Like That", 2013 (hackerfactor.com/blog/?/archives/529-Kind-of-Like-That.html): the picture is scaled to 9 x 8 greys
whatever its shape, and each bit says whether a pixel is darker than its right neighbour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL.Image import Resampling

if TYPE_CHECKING:
    import numpy.typing as npt
    from PIL.Image import Image

_WIDTH, _HEIGHT = 9, 8


def difference_hash(image: Image) -> int:
    """The 64 bits of an image of any size and mode, the upper left one first."""
    small = image.convert("L").resize((_WIDTH, _HEIGHT), Resampling.LANCZOS)
    greys = np.asarray(small, dtype=np.int16)
    bits = greys[:, :-1] < greys[:, 1:]
    return int.from_bytes(np.packbits(bits.ravel()).tobytes(), "big")


def bit_distances(one: npt.NDArray[np.uint64], other: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """In how many of 64 bits each hash of one array differs from its fellow in the other."""
    distances: npt.NDArray[np.uint8] = np.bitwise_count(one ^ other)
    return distances
