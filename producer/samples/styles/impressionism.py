"""Impressionism: short strokes of broken colour that follow what they paint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from producer.samples.brush import Brush, colours_at, scattered, stroked
from producer.samples.scene import Role
from producer.samples.study import gradient, study
from producer.samples.styles.style import Artist
from producer.samples.surface import blended

if TYPE_CHECKING:
    from numpy.random import Generator
    from PIL import Image

    from producer.samples.palettes import Palette
    from producer.samples.scene import Scene


class Impressionism:
    """A blurred underpainting, broad strokes over it, small ones over the things."""

    name = "Impressionism"
    adjective = "impressionist"
    artists = (
        Artist(name="Élise Brumaire", palettes=("dawn", "meadow", "violet dusk", "night"), stroke=1.0, slant=0.1),
        Artist(name="Henri Lavergne", palettes=("sea blue", "rose and grey", "desert", "crimson"), stroke=1.3, slant=-0.25, loose=1.2),
        Artist(name="Ada Whitcombe", palettes=("autumn", "emerald and gold", "dawn", "sea blue"), stroke=0.8, slant=0.35, loose=0.8),
    )

    def paint(self, scene: Scene, palette: Palette, size: tuple[int, int], artist: Artist, rng: Generator) -> Image.Image:
        """Strokes run flat on water, leaning in the air, about in leaves."""
        drawn = study(scene, palette, size)
        seen = drawn.coloured(lambda shape: gradient(shape, palette), loud=1.12)
        painted = blended(seen, palette.light, 0.1)
        things = drawn.where(Role.THING, Role.DETAIL)
        for number, breadth, only in ((700, 1.3, False), (1500, 0.85, False), (2600, 0.46, True)):
            places = scattered(rng, drawn, round(number / artist.stroke))
            keep = things[places[0], places[1]] | (not only)
            colours = colours_at(seen, places, rng, spread=(8 if only else 13) * artist.loose)
            sparkle = rng.random(len(colours)) < 0.06  # noqa: PLR2004
            colours[sparkle] = colours[sparkle] * 0.5 + np.array(palette.light if not only else palette.accent, np.float32) * 0.5
            lean = drawn.flow[np.minimum(drawn.index[places[0], places[1]], len(drawn.flow) - 1)]
            angles = (lean + artist.slant + rng.normal(0, 0.28 * artist.loose, len(lean))).astype(np.float32)
            brush = Brush(length=0.026 * breadth * artist.stroke, width=0.0075 * breadth * artist.stroke, relief=11, ragged=0.7, bend=0.15)
            painted = stroked(painted, drawn, places=places, angles=angles, colours=colours, brush=brush, rng=rng, keep=keep)
        return drawn.image(painted)
