"""Naive art: clear flat colours, everything neat and outlined, leaves and grass set one by one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageDraw

from producer.samples.brush import Brush, stroked
from producer.samples.palettes import Colour, mixed
from producer.samples.scene import Role, Shape
from producer.samples.study import gradient, study
from producer.samples.styles.style import Artist
from producer.samples.surface import blended, grained, noise

if TYPE_CHECKING:
    from numpy.random import Generator
    from PIL import Image

    from producer.samples.palettes import Palette
    from producer.samples.scene import Scene


class Naive:
    """A patient hand: rows of small marks in every area, no shadow anywhere."""

    name = "Naive Art Primitivism"
    adjective = "naive art"
    artists = (
        Artist(name="Josefína Malá", palettes=("meadow", "autumn", "dawn", "sea blue"), stroke=1.0, line=1.0),
        Artist(name="Celestin Dimanche", palettes=("emerald and gold", "night", "rose and grey", "desert"), stroke=1.3, line=0.7),
        Artist(name="Grandma Pell", palettes=("crimson", "violet dusk", "desert", "sea blue"), stroke=0.8, line=1.3),
    )

    def paint(self, scene: Scene, palette: Palette, size: tuple[int, int], artist: Artist, rng: Generator) -> Image.Image:
        """Marks stand in rows: flat in the sky, upright on land; each is a shade of what it lies on."""
        drawn = study(scene, palette, size, contour=0.008 * artist.line)

        def plain(shape: Shape) -> tuple[Colour, Colour]:
            one, other = gradient(shape, palette)
            whole = mixed(one, other, 0.5)
            return (one, other) if shape.part == "sky" and shape.into else (whole, whole)

        seen = drawn.coloured(plain, loud=1.25)
        painted = seen
        height, width = drawn.index.shape
        step = 0.034 * artist.stroke * drawn.scale
        rows, columns = np.meshgrid(np.arange(step / 2, height, step * 0.8), np.arange(0, width, step), indexing="ij")
        columns = columns + (np.arange(len(rows)) % 2)[:, None] * step / 2
        sway = rng.normal(0, step * 0.08, (2, rows.size))
        places = np.stack((rows.ravel() + sway[0], columns.ravel() + sway[1])).clip(0, [[height - 1], [width - 1]]).astype(np.intp)
        behind = drawn.where(Role.AREA, Role.SCENERY)
        places = places[:, behind[places[0], places[1]]]
        parts = np.array([shape.part in {"ground", "far"} for shape in drawn.shapes] + [False])
        upright = parts[drawn.index[places[0], places[1]]]
        for lean, tone in ((-0.45, palette.dark), (0.45, palette.light)):
            angles = np.where(upright, math.pi / 2 + lean, lean * 0.2).astype(np.float32)
            share = np.where(upright, 0.34, 0.2)[:, None]
            colours = (seen[places[0], places[1]] * (1 - share) + np.array(tone) * share).astype(np.float32)
            off = places + np.array([[0], [round(lean * step * 0.35)]])
            off = off.clip(0, [[height - 1], [width - 1]])
            brush = Brush(length=0.0115 * artist.stroke, width=0.0038 * artist.stroke)
            painted = stroked(painted, drawn, places=off, angles=angles, colours=colours, brush=brush, rng=rng)
        image = drawn.image(blended(seen, painted, behind))
        self._bordered(image, palette, artist.stroke)
        return grained(image, noise(rng, (image.height, image.width), 150) * 4)

    def _bordered(self, image: Image.Image, palette: Palette, stroke: float) -> None:
        """A painted border of lozenges, as on a chest."""
        draw, unit = ImageDraw.Draw(image), math.sqrt(image.width * image.height)
        wide = unit * 0.038
        draw.rectangle(
            (0, 0, image.width - 1, image.height - 1), outline=mixed(palette.ground, palette.dark, 0.45), width=max(2, round(wide))
        )
        for length, across in ((image.width, True), (image.height, False)):
            number = max(4, round(length / (wide * 2.1 * stroke)))
            for step in range(number + 1):
                for edge in (wide / 2, (image.height if across else image.width) - wide / 2):
                    x, y = (step / number * length, edge) if across else (edge, step / number * length)
                    reach = wide * 0.38
                    colour = palette.accent if step % 2 else palette.light
                    draw.polygon(((x - reach, y), (x, y - reach), (x + reach, y), (x, y + reach)), fill=colour)
