"""Fauvism: bold flat patches of unmixed colour with the bare canvas between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from producer.samples.brush import Brush, colours_at, scattered, stroked
from producer.samples.palettes import Colour, mixed
from producer.samples.scene import Role, Shape
from producer.samples.study import study
from producer.samples.styles.style import Artist
from producer.samples.surface import blended, noise

if TYPE_CHECKING:
    from numpy.random import Generator
    from PIL import Image

    from producer.samples.palettes import Palette
    from producer.samples.scene import Scene


_SWAPS = {"sky": ("glow", "accent"), "glow": ("sky", "light"), "far": ("main", "sky"), "ground": ("far", "accent")}


class Fauvism:
    """Colours that no one saw there: areas take over others' and the accent's."""

    name = "Fauvism"
    adjective = "fauvist"
    artists = (
        Artist(name="Henriette Fauve", palettes=("crimson", "meadow", "sea blue", "dawn"), stroke=1.0, slant=0.3),
        Artist(name="Andrés Salvaje", palettes=("desert", "violet dusk", "autumn", "emerald and gold"), stroke=1.35, slant=-0.6),
        Artist(name="Kees de Wild", palettes=("night", "dawn", "meadow", "rose and grey"), stroke=0.8, slant=1.3),
    )

    def paint(self, scene: Scene, palette: Palette, size: tuple[int, int], artist: Artist, rng: Generator) -> Image.Image:
        """Square patches in the areas, smaller ones on the things, a broken contour in the palette's dark."""
        drawn = study(scene, palette, size, contour=0.011 * artist.line)

        def wild(shape: Shape) -> tuple[Colour, Colour]:
            own = palette.colour(shape.part)
            if shape.into:
                own = mixed(own, palette.colour(shape.into), sum(shape.veil) / 2)
            if shape.role in {Role.THING, Role.DETAIL}:
                return own, own
            one, other = _SWAPS.get(shape.part, (shape.part, shape.part))
            return mixed(own, palette.colour(one), 0.25), mixed(own, palette.colour(other), 0.25)

        seen = drawn.coloured(wild, loud=1.6)
        painted = blended(seen, palette.light, 0.72)
        contour = drawn.contour
        things = drawn.where(Role.THING, Role.DETAIL)
        for number, breadth, only in ((800, 1.0, False), (1500, 0.42, True)):
            places = scattered(rng, drawn, round(number / artist.stroke**1.5))
            keep = (things[places[0], places[1]] == only) & ~contour[places[0], places[1]]
            colours = colours_at(seen, places, rng, spread=9 if only else 16)
            angles = (artist.slant + rng.normal(0, 0.35 * artist.loose, len(colours))).astype(np.float32)
            brush = Brush(length=0.036 * breadth * artist.stroke, width=0.0165 * breadth * artist.stroke, relief=14, ragged=0.5)
            painted = stroked(painted, drawn, places=places, angles=angles, colours=colours, brush=brush, rng=rng, keep=keep)
        painted = blended(painted, seen, things * np.float32(0.45))
        broken = contour & (noise(rng, drawn.index.shape, 26) > -0.35)  # noqa: PLR2004
        return drawn.image(blended(painted, palette.dark, broken))
