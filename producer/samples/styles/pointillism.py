"""Pointillism: the scene in dots of nearly pure colour on light ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from producer.samples.brush import Brush, colours_at, scattered, stroked
from producer.samples.palettes import mixed
from producer.samples.scene import Role
from producer.samples.study import gradient, study
from producer.samples.styles.style import Artist

if TYPE_CHECKING:
    from numpy.random import Generator
    from PIL import Image

    from producer.samples.palettes import Palette
    from producer.samples.scene import Scene


class Pointillism:
    """Round dots, large ones first, finer ones over what matters; the ground shines between them."""

    name = "Pointillism"
    adjective = "pointillist"
    artists = (
        Artist(name="Odile Marchant", palettes=("meadow", "dawn", "autumn", "violet dusk"), stroke=0.85, loose=0.9),
        Artist(name="Bram van Stippel", palettes=("sea blue", "autumn", "night", "crimson"), stroke=1.0, loose=1.3),
        Artist(name="Lucía Puntero", palettes=("rose and grey", "desert", "emerald and gold", "meadow"), stroke=1.2, loose=0.8),
    )

    def paint(self, scene: Scene, palette: Palette, size: tuple[int, int], artist: Artist, rng: Generator) -> Image.Image:
        """Each dot takes the colour under it; one in eight answers with another of the palette."""
        drawn = study(scene, palette, size)
        seen = drawn.coloured(lambda shape: gradient(shape, palette), loud=1.3)
        ground = np.empty_like(seen)
        ground[:] = mixed(palette.light, palette.glow, 0.45)
        radius = 0.0088 * artist.stroke
        answers = np.array([palette.accent, palette.glow, palette.far, palette.light], np.float32)
        for share, scale in ((2000, 1.12), (4200, 0.9)):
            places = scattered(rng, drawn, round(share / artist.stroke**2))
            colours = colours_at(seen, places, rng, spread=15 * artist.loose)
            things = drawn.where(Role.THING, Role.DETAIL)[places[0], places[1]]
            other = rng.random(len(colours)) < np.where(things, 0.05, 0.14) * artist.loose
            answer = answers[rng.integers(0, len(answers), len(colours))]
            colours[other] = colours[other] * 0.45 + answer[other] * 0.55
            angles = np.zeros(len(colours), np.float32)
            ground = stroked(
                ground,
                drawn,
                places=places,
                angles=angles,
                colours=colours,
                brush=Brush(length=radius * scale, width=radius * scale),
                rng=rng,
            )
        return drawn.image(ground)
