"""A scene: flat shapes in unit coordinates, back to front, before any style has touched them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from producer.samples.palettes import Colour, Palette

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """An area of one colour. An ellipse has two points: the corners of its box."""

    points: tuple[Point, ...]
    #: The palette's part, such as "main".
    part: str
    round: bool = False
    #: Lighter than its part above zero, darker below.
    shade: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What is to be seen, in the palette it is to be seen in."""

    subject: str
    #: "two boats in a harbour".
    caption: str
    count: int
    palette: Palette
    shapes: tuple[Shape, ...]

    def colour(self, shape: Shape) -> Colour:
        """The colour of one shape."""
        return shaded(self.palette.colour(shape.part), shape.shade)

    def flat(self, size: tuple[int, int], *, outline: float = 0.0) -> Image.Image:
        """The scene in plain areas, with dark outlines of the given width (as a share of the longer side) if asked for."""
        width, height = size[0] * 2, size[1] * 2
        image = Image.new("RGB", (width, height), self.palette.sky)
        draw = ImageDraw.Draw(image)
        line = round(outline * max(width, height))
        for shape in self.shapes:
            points = [(x * width, y * height) for x, y in shape.points]
            if shape.round:
                draw.ellipse(
                    _box(shape, width, height), fill=self.colour(shape), outline=self.palette.dark if line else None, width=max(1, line)
                )
            else:
                draw.polygon(points, fill=self.colour(shape))
                if line:
                    draw.line([*points, points[0]], fill=self.palette.dark, width=line, joint="curve")
        return image.resize(size, Image.Resampling.BOX)


def _box(shape: Shape, width: int, height: int) -> tuple[float, float, float, float]:
    """The box of an ellipse: its place follows the picture's shape, its roundness does not."""
    (left, top), (right, bottom) = shape.points
    unit = math.sqrt(width * height) / 2
    x, y = (left + right) / 2 * width, (top + bottom) / 2 * height
    across, up = (right - left) * unit, (bottom - top) * unit
    return x - across, y - up, x + across, y + up


def shaded(colour: Colour, shade: float) -> Colour:
    """Towards white for positive shades, towards black for negative ones."""
    goal = 255 if shade > 0 else 0
    red, green, blue = (round(channel + (goal - channel) * min(1.0, abs(shade))) for channel in colour)
    return red, green, blue
