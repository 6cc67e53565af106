"""Baroque: the things in warm light out of the dark, under varnish."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from producer.samples.brush import Brush, colours_at, scattered, stroked
from producer.samples.palettes import Colour, mixed, shaded
from producer.samples.scene import Role, Shape
from producer.samples.study import gradient, study
from producer.samples.styles.style import Artist
from producer.samples.surface import blended, distance, lit, noise

if TYPE_CHECKING:
    from numpy.random import Generator

    from producer.samples.palettes import Palette
    from producer.samples.scene import Scene


_VARNISH = (64, 34, 12)


class Baroque:
    """Chiaroscuro: one light from the upper left, deep shadow in all corners."""

    name = "Baroque"
    adjective = "baroque"
    artists = (
        Artist(name="Giulia Tenebrosi", palettes=("crimson", "autumn", "night", "emerald and gold"), loose=1.2),
        Artist(name="Pieter Schaduw", palettes=("desert", "rose and grey", "sea blue", "meadow"), loose=0.9, slant=0.4),
        Artist(name="Zacarías Umbría", palettes=("violet dusk", "dawn", "crimson", "desert"), loose=1.05, slant=-0.4),
    )

    def paint(self, scene: Scene, palette: Palette, size: tuple[int, int], artist: Artist, rng: Generator) -> Image.Image:
        """Volumes turn twice as far into shadow; areas are near night, the things near day."""
        drawn = study(scene, palette, size)

        def deep(shape: Shape) -> tuple[Colour, Colour]:
            one, other = gradient(shape, palette)
            if shape.role in {Role.THING, Role.DETAIL}:
                away = 0.5
                return (
                    (shaded(one, palette, 0.08), shaded(other, palette, -away)) if shape.turn >= 0 else (shaded(one, palette, -away), other)
                )
            dark = mixed(palette.dark, _VARNISH, 0.15)
            return mixed(one, dark, 0.42), mixed(other, dark, 0.5)

        painted = drawn.coloured(deep)
        things = drawn.where(Role.THING, Role.DETAIL)
        places = scattered(rng, drawn, 1100)
        colours = colours_at(painted, places, rng, spread=4)
        angles = (
            drawn.flow[np.minimum(drawn.index[places[0], places[1]], len(drawn.flow) - 1)] + artist.slant + rng.normal(0, 0.5, len(colours))
        )
        smooth = stroked(
            painted,
            drawn,
            places=places,
            angles=angles.astype(np.float32),
            colours=colours,
            brush=Brush(length=0.02, width=0.005, relief=3, ragged=0.6),
            rng=rng,
            keep=~things[places[0], places[1]],
        )
        painted = blended(painted, smooth, ~things * np.float32(0.6))
        image = drawn.image(blended(painted, _VARNISH, 0.07))
        sheet = image.height, image.width
        shown = np.asarray(Image.fromarray(things).resize(image.size))
        light = 0.5 - 0.62 * artist.loose * np.clip(distance(sheet, 0.42, 0.46) - 0.15, 0, 1.3)
        light = np.where(shown, np.maximum(light, 0.02) * 0.7, light) + noise(rng, sheet, 4) * 0.05
        crackle = np.abs(noise(rng, sheet, 26)) < 0.022  # noqa: PLR2004
        return lit(image, light - crackle * np.float32(0.045))
