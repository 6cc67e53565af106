"""What happens to pictures on their way: pictures altered as a person or a platform alters them, image to image."""

from __future__ import annotations

import io
from math import sqrt
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PIL.Image import Image as Picture

    Alteration = Callable[[Picture], Picture]

_JPEG_QUALITY = 40


def unaltered(image: Picture) -> Picture:
    """The picture as it is: what the others are compared with."""
    return image


def recompressed(image: Picture) -> Picture:
    """Encoded as JPEG at quality 40 with halved colour (4:2:0), and decoded."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=2)
    buffer.seek(0)
    with Image.open(buffer) as decoded:
        return decoded.convert("RGB")


def half_size(image: Picture) -> Picture:
    """Half as wide and half as high, by Lanczos; at least one pixel."""
    return image.resize((max(1, round(image.width / 2)), max(1, round(image.height / 2))), Image.Resampling.LANCZOS)


def cropped_to_80_percent(image: Picture) -> Picture:
    """The middle 80 % of the area: each side times sqrt(0.8), so 5.3 % are cut off at each of the four edges."""
    return _middle(image, sqrt(0.8))


def cropped_5_percent(image: Picture) -> Picture:
    """5 % of width or height cut off at each of the four edges: 81 % of the area is left."""
    return _middle(image, 0.9)


def mirrored(image: Picture) -> Picture:
    """Left and right exchanged."""
    return ImageOps.mirror(image)


#: By the name under which the table shows them.
ALTERATIONS: Mapping[str, Alteration] = {
    "none": unaltered,
    "JPEG 40": recompressed,
    "half size": half_size,
    "crop 80 %": cropped_to_80_percent,
    "crop 5 % a side": cropped_5_percent,
    "mirrored": mirrored,
}


def _middle(image: Picture, share: float) -> Picture:
    """The middle part with this share of width and of height."""
    width, height = max(1, round(image.width * share)), max(1, round(image.height * share))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))
