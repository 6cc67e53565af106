"""Colour field: great soft-edged bands that glow, and the things as soft shapes on them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from producer.samples.palettes import Colour, mixed
from producer.samples.scene import Role, Shape
from producer.samples.study import study
from producer.samples.styles.style import Artist
from producer.samples.surface import blended, blurred, grained, noise

if TYPE_CHECKING:
    from numpy.random import Generator

    from producer.samples.palettes import Palette
    from producer.samples.scene import Scene


class ColorField:
    """Stained fields with a margin between them; nothing has an edge."""

    name = "Color Field Painting"
    adjective = "colour field"
    artists = (
        Artist(name="Miriam Feld", palettes=("autumn", "night", "crimson", "dawn"), stroke=1.0),
        Artist(name="Joseph Wideman", palettes=("dawn", "emerald and gold", "violet dusk", "sea blue"), stroke=1.35),
        Artist(name="Tōru Hamano", palettes=("rose and grey", "desert", "meadow", "violet dusk"), stroke=0.75),
    )

    def paint(self, scene: Scene, palette: Palette, size: tuple[int, int], artist: Artist, rng: Generator) -> Image.Image:
        """Two or three bands divide the height where the scene's areas do; the things are laid over them in one colour or two."""
        drawn = study(scene, palette, size, roles=(Role.AREA, Role.THING))
        width, height = size
        fields = np.empty((height, width, 3), np.uint8)
        fields[:] = mixed(palette.far, palette.ground, 0.4)
        tops = sorted({max(0.0, shape.box()[1]) / scene.height for shape in drawn.shapes if shape.role is Role.AREA} | {0.0})
        tops = [top for place, top in enumerate(tops) if place == 0 or top > 0.3]  # noqa: PLR2004
        colours = (palette.sky, palette.ground, mixed(palette.ground, palette.dark, 0.25))
        bands = [*tops[:2], 1.0] if len(tops) > 1 else [0.0, 0.62, 1.0]
        bands = [0.0, bands[1] * 0.6, *bands[1:]] if rng.random() < 0.5 else bands  # noqa: PLR2004
        if len(bands) > 3:  # noqa: PLR2004
            colours = (palette.sky, mixed(palette.glow, palette.sky, 0.3), palette.ground)
        for top, bottom, colour in zip(bands, bands[1:], colours, strict=False):
            gap = 0.018
            rows = slice(round((top + gap) * height), round((bottom - gap) * height))
            fields[rows, round(width * 0.045) : round(width * 0.955)] = colour
        unit = math.sqrt(width * height)
        fields = blurred(fields, unit * 0.013 * artist.stroke)

        def stain(shape: Shape) -> tuple[Colour, Colour]:
            own = palette.colour(shape.part)
            own = mixed(own, palette.colour(shape.into), sum(shape.veil) / 2) if shape.into else own
            return own, own

        things = drawn.image(drawn.coloured(stain))
        mask = Image.fromarray(drawn.where(Role.THING).view(np.uint8) * np.uint8(255)).resize(size, Image.Resampling.BOX)
        painted = blurred(np.asarray(Image.composite(things, Image.fromarray(fields), mask)), unit * 0.0065 * artist.stroke)
        cover = noise(rng, painted.shape, 7) * np.float32(0.08) + noise(rng, painted.shape, 40) * np.float32(0.04)
        glowing = blended(painted, fields, cover + np.float32(0.08))
        return grained(Image.fromarray(glowing), noise(rng, painted.shape, 240) * 4 + cover * 60)
