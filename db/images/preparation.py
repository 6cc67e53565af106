"""How an original is laid onto the generator's canvas, and how its repaint is kept: letterbox, buckets, crop or stretch.

Whatever the preparation, original and repaint must show the same content to be compared. A letterboxed repaint is cropped to its content
box, a stretched one is brought back to the original's aspect; where the original itself lost an edge (`source_box`), it is the original
that has to be cropped before the two are laid side by side: `prepared_original`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image

from db.images.canvas import ContentBox, content_box, crop, letterbox

if TYPE_CHECKING:
    from collections.abc import Mapping

Preparation = Literal["letterbox", "buckets", "crop", "stretch"]

#: Sides of a bucket are multiples of so many pixels, by the smallest canvas size from which that holds: SDXL was trained on multiples of
#: 64, with which small canvases would have next to no buckets; 8 is what its autoencoder asks for.
_BUCKET_STEPS = ((512, 64), (0, 8))

#: Longer side of a bucket to its shorter one, at most: what SDXL was trained on.
_LONGEST_BUCKET = 4.0

#: Area of a bucket, as a share of the square's, at least.
_LEAST_AREA = 0.875

#: Share of a side that may be cut off to fill a bucket. An original for which that is not enough is letterboxed inside its bucket.
_MOST_CUT = 0.125


@dataclass(frozen=True, kw_only=True)
class PreparedImage:
    """A canvas with an original on it."""

    canvas: Image.Image
    preparation: Preparation
    #: Where on the canvas the content lies.
    box: ContentBox
    #: The part of the upright original that the content shows, in its pixels; None for all of it.
    source_box: ContentBox | None
    #: Width and height, in pixels, of the repaint that is kept.
    kept_size: tuple[int, int]

    @property
    def content(self) -> Image.Image:
        """The content as it lies on the canvas: what a repainted canvas, cropped to `box`, is compared with."""
        return crop(self.canvas, self.box)

    def keep(self, repainted: Image.Image) -> Image.Image:
        """Of a repainted canvas, what is kept: its content, in the original's aspect. Raises `ValueError` for a smaller canvas."""
        content = crop(repainted, self.box)
        return content if content.size == self.kept_size else content.resize(self.kept_size, Image.Resampling.LANCZOS)

    @property
    def provenance(self) -> dict[str, Any]:
        """The facts of this preparation, for the repaint's metadata; a letterbox has none beside its canvas and content box."""
        facts: dict[str, Any] = {"content_box": self.box.to_json()}
        if self.preparation == "letterbox":
            return facts | {"canvas": self.canvas.width}
        facts |= {"canvas": list(self.canvas.size), "preparation": self.preparation}
        return facts | ({"source_box": self.source_box.to_json()} if self.source_box else {})


def prepare(image: Image.Image, *, size: int, preparation: Preparation = "letterbox") -> PreparedImage:
    """Lay an upright RGB image onto a canvas of `size` x `size` pixels, or onto the bucket of about that area (Lanczos).

    - letterbox: all of it, its aspect kept, the rest filled with its edge.
    - buckets: the canvas takes the shape of the image; what does not fit is cut off evenly on both sides, an eighth at most.
    - crop: the square in its middle.
    - stretch: all of it, its aspect given up; `keep` brings it back.
    """
    if preparation == "stretch":
        box = content_box(image.width, image.height, size)
        return _whole(image, (size, size), preparation, kept=(box.width, box.height))
    if preparation == "crop":
        return _covering(image, (size, size), preparation)
    if preparation == "buckets":
        shape = bucket(image.width, image.height, size)
        if _cut_to_cover(image.size, shape) <= _MOST_CUT:
            return _covering(image, shape, preparation)
        canvas, box = letterbox(image, shape)
        return PreparedImage(canvas=canvas, preparation=preparation, box=box, source_box=None, kept_size=(box.width, box.height))
    canvas, box = letterbox(image, size)
    return PreparedImage(canvas=canvas, preparation=preparation, box=box, source_box=None, kept_size=(box.width, box.height))


def prepared_original(image: Image.Image, provenance: Mapping[str, Any]) -> Image.Image:
    """Of the upright original, the part that its repaint shows, by the repaint's provenance: the image itself if that is all of it."""
    box = provenance.get("source_box")
    return image if box is None else crop(image, ContentBox.from_json(box))


@lru_cache(maxsize=64)
def buckets(size: int) -> tuple[tuple[int, int], ...]:
    """The canvases (width, height) of about `size` x `size` pixels, from the tallest to the widest.

    Both sides are multiples of 64 px (of 8 px for a square under 512 px), and the area is that of the square or up to an eighth less: never
    more, so that no bucket needs more memory. At 1024 px: 512 x 2048, 512 x 1984, ... 960 x 1088, 1024 x 1024, 1088 x 960, ... 2048 x 512.
    """
    if size < 1:
        raise ValueError(f"no canvas of {size} px")
    step = next(step for smallest, step in _BUCKET_STEPS if size >= smallest)
    shapes = {(size, size)}
    for short in range(step, size + 1, step):
        for long in range(short, size * size // short + 1, step):
            if long <= _LONGEST_BUCKET * short and short * long >= _LEAST_AREA * size * size:
                shapes |= {(short, long), (long, short)}
    return tuple(sorted(shapes, key=lambda shape: (shape[0] / shape[1], shape)))


def bucket(width: int, height: int, size: int) -> tuple[int, int]:
    """The bucket whose aspect is nearest to that of an image of this width and height; of two of one aspect the larger."""
    if min(width, height) < 1:
        raise ValueError(f"no bucket for an image of {width} x {height} px")
    aspect = math.log(width / height)
    return min(buckets(size), key=lambda shape: (abs(math.log(shape[0] / shape[1]) - aspect), -shape[0] * shape[1], shape))


def _cut_to_cover(size: tuple[int, int], shape: tuple[int, int]) -> float:
    """The share of one side of an image that is lost when it covers a canvas."""
    (width, height), (across, down) = size, shape
    aspect, wanted = width / height, across / down
    return 1 - min(aspect / wanted, wanted / aspect)


def _covering(image: Image.Image, shape: tuple[int, int], preparation: Preparation) -> PreparedImage:
    """The middle of the image, in the canvas' aspect within half a pixel, on all of the canvas."""
    across, down = shape
    width = min(image.width, max(1, round(image.height * across / down)))
    height = min(image.height, max(1, round(image.width * down / across)))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    whole = (width, height) == image.size
    source = None if whole else ContentBox(left=left, top=top, right=left + width, bottom=top + height)
    return _whole(image if source is None else crop(image, source), shape, preparation, kept=shape, source=source)


def _whole(
    image: Image.Image, shape: tuple[int, int], preparation: Preparation, *, kept: tuple[int, int], source: ContentBox | None = None
) -> PreparedImage:
    """All of the image on all of the canvas."""
    canvas = image.convert("RGB").resize(shape, Image.Resampling.LANCZOS)
    box = ContentBox(left=0, top=0, right=shape[0], bottom=shape[1])
    return PreparedImage(canvas=canvas, preparation=preparation, box=box, source_box=source, kept_size=kept)
