"""Views of a query picture: as it is, mirrored, its parts, and framed. A query is as near to another picture as its nearest view is.

Only queries have views: a gallery keeps one vector a picture. A view undoes what may have been done to the query (it was mirrored, it lost
its edge, it carries a border), and costs one more vector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PIL.Image import Transpose

from trainer.errors import UnknownComponent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from trainer.data.embeddings import Embedder

    View = Callable[[Image.Image], Image.Image]

PLAIN, MIRRORED = "plain", "mirrored"

#: Pictures whose views are embedded at once.
_BATCH = 32


def _plain(image: Image.Image) -> Image.Image:
    return image


def _mirrored(image: Image.Image) -> Image.Image:
    """Left and right exchanged."""
    return image.transpose(Transpose.FLIP_LEFT_RIGHT)


def _part(across: float, down: float, share: float) -> View:
    """A part whose sides are `share` of the picture's; `across` and `down` say where it lies, from 0 (left, top) to 1."""

    def cut(image: Image.Image) -> Image.Image:
        width, height = (max(1, round(side * share)) for side in image.size)
        left, top = round((image.width - width) * across), round((image.height - height) * down)
        return image.crop((left, top, left + width, top + height))

    return cut


def _framed(share: float) -> View:
    """The picture within a border that mirrors its edges, so that it makes up `share` of the sides: what undoes a crop to that share."""

    def frame(image: Image.Image) -> Image.Image:
        pixels = np.asarray(image)
        borders = [min(side - 1, round(side * (1 / share - 1) / 2)) for side in pixels.shape[:2]]
        return Image.fromarray(np.pad(pixels, [*((border, border) for border in borders), *[(0, 0)] * (pixels.ndim - 2)], mode="reflect"))

    return frame


#: Every view by its name.
VIEWS: dict[str, View] = {
    PLAIN: _plain,
    MIRRORED: _mirrored,
    "centre-90": _part(0.5, 0.5, 0.9),
    "centre-80": _part(0.5, 0.5, 0.8),
    "top-left": _part(0, 0, 0.8),
    "top-right": _part(1, 0, 0.8),
    "bottom-left": _part(0, 1, 0.8),
    "bottom-right": _part(1, 1, 0.8),
    "framed-95": _framed(0.95),
    "framed-90": _framed(0.9),
}

_CROPS = ("centre-90", "centre-80", "top-left", "top-right", "bottom-left", "bottom-right")

#: What `views` may be, and the names of the views that it means; the plain one is always the first.
VIEW_SETS: dict[str, tuple[str, ...]] = {
    "none": (PLAIN,),
    "mirror": (PLAIN, MIRRORED),
    "mirror+crops": (PLAIN, MIRRORED, *_CROPS),
    "mirror+frames": (PLAIN, MIRRORED, "framed-95", "framed-90"),
    "mirror+crops+frames": (PLAIN, MIRRORED, *_CROPS, "framed-95", "framed-90"),
}


def view_names(views: str) -> tuple[str, ...]:
    """The names of the views of a set, the plain one first; raises `UnknownComponent`."""
    if views not in VIEW_SETS:
        raise UnknownComponent(f"there are no views {views!r}; known: {', '.join(VIEW_SETS)}")
    return VIEW_SETS[views]


def views_of(image: Image.Image, views: str) -> list[Image.Image]:
    """The views of a picture, the plain one first; raises `UnknownComponent`."""
    return [VIEWS[name](image) for name in view_names(views)]


def embed_views(embedder: Embedder, images: Sequence[Image.Image], views: str) -> npt.NDArray[np.float32]:
    """(n, V, dimension): the vectors of every view of every picture, as the embedder gives them, the plain view first.

    Raises:
        UnknownComponent: there is no such set of views.
        OutOfMemory: the device is too small for the views of some pictures.
    """
    count = len(view_names(views))
    parts = [
        embedder.embed_images([view for image in images[start : start + _BATCH] for view in views_of(image, views)])
        for start in range(0, len(images), _BATCH)
    ]
    vectors = np.concatenate(parts) if parts else np.zeros((0, embedder.dimension), np.float32)
    return vectors.reshape(len(images), count, -1) if len(images) else np.zeros((0, count, embedder.dimension), np.float32)
