"""A study: a scene drawn in a palette, at twice the image's size where that is affordable, from which a style paints."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from producer.samples.palettes import Colour, Palette, mixed, shaded
from producer.samples.scene import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from producer.samples.scene import Scene, Shape

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]

#: Steps of a shape's gradient.
_LEVELS = 64
#: Pictures up to this many pixels a side are drawn at twice their size.
_DOUBLED = 1024


@dataclass(frozen=True, kw_only=True)
class Study:
    """Which shape is seen where, and its colours."""

    scene: Scene
    palette: Palette
    #: Width and height of the image to paint.
    size: tuple[int, int]
    #: How many times finer the arrays are.
    finer: int
    #: The number of the uppermost shape, one more than the shapes have where a contour runs; height x width.
    index: Pixels
    shapes: tuple[Shape, ...]

    @property
    def scale(self) -> float:
        """Fine pixels in one unit of the scene."""
        return math.sqrt(self.index.shape[0] * self.index.shape[1])

    def coloured(self, ends: Callable[[Shape], tuple[Colour, Colour]], *, loud: float = 1.0) -> Pixels:
        """The scene with each shape's gradient between two colours, its lit side's and its other side's.

        `loud` is how much colour they keep: more than they have above one, less below.
        """
        height, width = self.index.shape
        stops = np.array([ends(shape) for shape in self.shapes] + [(self.palette.dark, self.palette.dark)], np.float32)
        grey = stops @ np.array([0.299, 0.587, 0.114], np.float32)
        stops = np.clip(grey[..., None] + (stops - grey[..., None]) * loud, 0, 255)
        flat = bool((stops[:, 0] == stops[:, 1]).all())
        share = np.linspace(0, 1, 1 if flat else _LEVELS, dtype=np.float32)[None, :, None]
        packed = np.zeros((len(stops), share.size, 4), np.uint8)
        packed[..., :3] = stops[:, None, 0] * (1 - share) + stops[:, None, 1] * share + 0.5
        code = self.index if flat else self.index.astype(np.int32) * _LEVELS + self._levels()
        return packed.reshape(-1, 4).view(np.uint32).ravel()[code].view(np.uint8).reshape(height, width, 4)[..., :3]

    def _levels(self) -> NDArray[np.int32]:
        height, width = self.index.shape
        start, across, down = np.zeros((3, len(self.shapes) + 1), np.float32)
        for number, shape in enumerate(self.shapes):
            left, top, right, bottom = shape.box()
            low, high = (left, right) if shape.axis == 0 else (top, bottom)
            slope = (_LEVELS - 1) / max(high - low, 1e-6)
            start[number] = -low * slope
            (across, down)[shape.axis][number] = slope * (self.scene.width / width, self.scene.height / height)[shape.axis]
        x, y = np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]
        value = across[self.index] * x + down[self.index] * y + start[self.index]
        value += ((np.arange(width) & 1)[None, :] ^ (np.arange(height) & 1)[:, None]).astype(np.float32) * np.float32(0.5)
        return np.clip(value, 0, _LEVELS - 1).astype(np.int32)

    def moved(self, taken: NDArray[np.intp]) -> Study:
        """The same with every pixel's shape taken from elsewhere; `taken` are flat indices."""
        return replace(self, index=self.index.ravel()[taken])

    @property
    def contour(self) -> NDArray[np.bool_]:
        """Where contours run."""
        inside: NDArray[np.bool_] = self.index == len(self.shapes)
        return inside

    def where(self, *roles: Role) -> NDArray[np.bool_]:
        """Where shapes of these roles are seen, contours left out."""
        table = np.array([shape.role in roles for shape in self.shapes] + [False])
        return table[self.index]

    @cached_property
    def flow(self) -> Plane:
        """Where strokes run, in radians, by shape."""
        return np.array([shape.flow for shape in self.shapes] + [0.0], np.float32)

    def image(self, fine: Pixels) -> Image.Image:
        """A fine array as an image of the right size."""
        image = Image.fromarray(np.ascontiguousarray(fine))
        return image.reduce(self.finer) if self.finer > 1 else image


def study(
    scene: Scene, palette: Palette, size: tuple[int, int], *, contour: float = 0.0, roles: Collection[Role] = frozenset(Role)
) -> Study:
    """Draw a scene's shapes of the given roles, with contours of the given width in the scene's units."""
    finer = 2 if max(size) <= _DOUBLED else 1
    width, height = size[0] * finer, size[1] * finer
    shapes = tuple(shape for shape in scene.shapes if shape.role in roles)
    scale, across, down = math.sqrt(width * height), width / scene.width, height / scene.height
    image = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(image)
    for number, shape in enumerate(shapes):
        line = round(contour * scale * (0.6 if shape.role is Role.DETAIL else 1.0)) if shape.role is not Role.SCENERY else 0
        points = [(x * across, y * down) for x, y in shape.points]
        if shape.round:
            left, top, right, bottom = shape.box()
            draw.ellipse(
                (left * across, top * down, right * across, bottom * down),
                fill=number,
                outline=len(shapes) if line else None,
                width=max(1, line),
            )
            continue
        draw.polygon(points, fill=number)
        if line:
            draw.line([*points, points[0], points[1]], fill=len(shapes), width=line, joint="curve" if line > 2 else None)  # noqa: PLR2004
    return Study(scene=scene, palette=palette, size=size, finer=finer, index=np.asarray(image), shapes=shapes)


def gradient(shape: Shape, palette: Palette) -> tuple[Colour, Colour]:
    """A shape's colour on its lit side and on the other."""
    colour = palette.colour(shape.part)
    other = palette.colour(shape.into or shape.part)
    lit, unlit = (mixed(colour, other, veil) for veil in shape.veil)
    return shaded(lit, palette, shape.shade + shape.turn), shaded(unlit, palette, shape.shade - shape.turn)
