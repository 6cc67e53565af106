"""Art nouveau: sinuous dark outlines, soft flat tones, and a golden frame that ends in whiplash curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from producer.samples.palettes import Colour, mixed, shaded
from producer.samples.scene import Role, Shape
from producer.samples.study import Pixels, gradient, study
from producer.samples.styles.style import Artist
from producer.samples.surface import blended, grained, noise

if TYPE_CHECKING:
    from numpy.random import Generator

    from producer.samples.palettes import Palette
    from producer.samples.scene import Scene


_GOLD = (205, 162, 62)


class ArtNouveau:
    """A poster: the scene under an arch, framed."""

    name = "Art Nouveau Modern"
    adjective = "art nouveau"
    artists = (
        Artist(name="Alžběta Liana", palettes=("rose and grey", "emerald and gold", "dawn", "autumn"), line=1.0, stroke=1.0),
        Artist(name="Théophile Volute", palettes=("autumn", "meadow", "violet dusk", "desert"), line=1.3, stroke=1.3),
        Artist(name="Margaret Tendril", palettes=("sea blue", "night", "crimson", "rose and grey"), line=0.8, stroke=0.8),
    )

    def paint(self, scene: Scene, palette: Palette, size: tuple[int, int], artist: Artist, rng: Generator) -> Image.Image:
        """Tones lean towards cream; the frame's ground is the palette's own."""
        rim = round(math.sqrt(size[0] * size[1]) * 0.05)
        drawn = study(scene, palette, (size[0] - 2 * rim, size[1] - 2 * rim), contour=0.012 * artist.line)

        def toned(shape: Shape) -> tuple[Colour, Colour]:
            lit, unlit = gradient(shape, palette)
            if shape.role in {Role.THING, Role.DETAIL}:
                lit = unlit = mixed(lit, unlit, 0.5)
            return mixed(lit, palette.light, 0.1), mixed(unlit, palette.light, 0.1)

        rim *= drawn.finer
        painted = np.pad(drawn.coloured(toned), ((rim, rim), (rim, rim), (0, 0)))
        frame = self._frame((painted.shape[1], painted.shape[0]), artist.stroke)
        ground = mixed(shaded(palette.far, palette, -0.25), palette.dark, 0.1)
        gold = mixed(_GOLD, palette.accent, 0.2)
        for tone, colour in enumerate((ground, gold, palette.dark), start=1):
            painted = blended(painted, colour, frame == tone)
        image = drawn.image(painted)
        return grained(image, noise(rng, (image.height, image.width), 110) * 4)

    def _frame(self, size: tuple[int, int], broad: float) -> Pixels:
        """One for the frame's ground, two for gold, three for dark lines."""
        width, height = size
        unit = math.sqrt(width * height)
        image = Image.new("L", size, 1)
        draw = ImageDraw.Draw(image)
        rim, bow = unit * 0.05, unit * 0.16 * broad
        for inset, tone in ((0.0, 3), (0.006, 2), (0.018, 3), (0.023, 0)):
            edge = rim + inset * unit
            draw.rounded_rectangle((edge, edge, width - edge, height - edge), radius=max(1.0, bow - inset * unit), fill=tone)
        line = max(2, round(unit * 0.009))
        for right in (0, 1):
            for low in (0, 1):
                for turn in (0.0, 1.0):
                    curl = [self._whip(step / 20, turn, bow) for step in range(21)]
                    points = [(width - x if right else x, height - y if low else y) for x, y in curl]
                    draw.line(points, fill=2, width=line, joint="curve")
                centre = (width - bow * 0.32 if right else bow * 0.32), (height - bow * 0.32 if low else bow * 0.32)
                size_ = bow * 0.1
                draw.ellipse((centre[0] - size_, centre[1] - size_, centre[0] + size_, centre[1] + size_), fill=2)
        draw.rectangle((0, 0, width - 1, height - 1), outline=2, width=line)
        return np.asarray(image)

    def _whip(self, along: float, turn: float, bow: float) -> tuple[float, float]:
        """A curl from a corner along one side, flat in its end."""
        x, y = bow * (0.2 + 2.1 * along), bow * (0.19 + 0.1 * math.sin(along * math.tau * 1.25) * (1 - along))
        return (x, y) if turn else (y, x)
