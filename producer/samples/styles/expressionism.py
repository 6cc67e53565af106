"""Expressionism: heavy bent strokes along a whirl, loud colour, dark contours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from producer.samples.brush import Brush, colours_at, scattered, stroked
from producer.samples.palettes import shaded
from producer.samples.scene import Role
from producer.samples.study import gradient, study
from producer.samples.styles.style import Artist
from producer.samples.surface import blended
from producer.samples.warp import swayed

if TYPE_CHECKING:
    from numpy.random import Generator
    from PIL import Image

    from producer.samples.palettes import Palette
    from producer.samples.scene import Scene


class Expressionism:
    """The scene sways; long thick strokes follow a field that whirls over the whole image."""

    name = "Expressionism"
    adjective = "expressionist"
    artists = (
        Artist(name="Käthe Sturm", palettes=("night", "autumn", "crimson", "rose and grey"), stroke=1.2, line=1.2, slant=0.4),
        Artist(name="Nils Orkan", palettes=("emerald and gold", "desert", "sea blue", "violet dusk"), stroke=1.0, line=0.9, slant=-0.5),
        Artist(name="Jadwiga Wicher", palettes=("dawn", "night", "meadow", "crimson"), stroke=1.4, line=1.4, slant=1.1, loose=1.3),
    )

    def paint(self, scene: Scene, palette: Palette, size: tuple[int, int], artist: Artist, rng: Generator) -> Image.Image:
        """Contours are swayed with the rest; strokes over things are finer so that these stay whole."""
        drawn = study(scene, palette, size, contour=0.013 * artist.line)
        drawn = drawn.moved(swayed(drawn, rng, 0.02 * artist.loose))
        seen = painted = drawn.coloured(lambda shape: gradient(shape, palette), loud=1.5)
        contour, things = drawn.contour, drawn.where(Role.THING, Role.DETAIL)
        waves, phase = rng.uniform(0.9, 1.7, 2), rng.uniform(0, math.tau, 2)
        for number, breadth, only in ((650, 1.2, False), (1700, 0.45, True)):
            places = scattered(rng, drawn, round(number / artist.stroke))
            keep = (things[places[0], places[1]] == only) & ~contour[places[0], places[1]]
            colours = colours_at(seen, places, rng, spread=11 if only else 16)
            row, column = places / drawn.scale
            whirl = np.sin(column * math.tau * waves[0] + phase[0]) + np.cos(row * math.tau * waves[1] + phase[1])
            angles = (whirl * 0.9 + artist.slant).astype(np.float32)
            brush = Brush(length=0.045 * breadth * artist.stroke, width=0.011 * breadth * artist.stroke, bend=0.4, relief=24, ragged=0.8)
            laid = stroked(painted, drawn, places=places, angles=angles, colours=colours, brush=brush, rng=rng, keep=keep)
            painted = laid if only else blended(laid, seen, things | contour)
        return drawn.image(blended(painted, shaded(palette.dark, palette, -0.2), contour * np.float32(0.88)))
