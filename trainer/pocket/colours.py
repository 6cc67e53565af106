"""How near an image's colours are to a palette's, by what that palette's paintings look like on average."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from trainer.pocket.paintings import Paintings

#: sRGB to Oklab (Ottosson 2020), in which distances are about as large as they look.
_TO_CONES = np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]])
_TO_LAB = np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]])


class PaletteScale:
    """The mean colour of each palette over known paintings.

    Grey lies amid all palettes: an image without colours is nearer to most of them than another palette's painting is.
    """

    def __init__(self, paintings: Paintings) -> None:
        colours: dict[str, list[NDArray[np.float64]]] = {}
        for label, pixels in zip(paintings.labels, paintings.squares, strict=True):
            colours.setdefault(label.palette, []).append(mean_colour(pixels[::4, ::4]))
        self._centres = {palette: np.mean(known, axis=0) for palette, known in colours.items()}

    def distance(self, image: Image.Image, palette: str) -> float:
        """From the image's mean colour to the palette's, in Oklab."""
        return float(np.linalg.norm(mean_colour(np.asarray(image.convert("RGB"))) - self._centres[palette]))


def mean_colour(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The mean of an image (height, width, 3) in Oklab."""
    value = pixels.reshape(-1, 3) / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004  # the sRGB curve
    mean: NDArray[np.float64] = (np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T).mean(axis=0)
    return mean
