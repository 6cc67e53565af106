"""Pointillism: the scene in dots of nearly pure colour on light ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from producer.samples.scene import shaded
from producer.samples.styles.style import Artist, jittered

if TYPE_CHECKING:
    from random import Random

    from producer.samples.scene import Scene


class Pointillism:
    """Dots in a jittered grid, row over row."""

    name = "Pointillism"
    adjective = "pointillist"
    artists = (
        Artist(name="Odile Marchant", palettes=("meadow", "dawn"), hand=0.8),
        Artist(name="Bram van Stippel", palettes=("sea blue", "autumn"), hand=1.0),
        Artist(name="Lucía Puntero", palettes=("rose and grey", "desert"), hand=1.3),
    )

    def paint(self, scene: Scene, size: tuple[int, int], hand: float, rng: Random) -> Image.Image:
        """Each dot takes the colour under it, some its neighbour's in light or shadow."""
        flat = scene.flat(size)
        seen = flat.load()
        assert seen is not None
        image = Image.new("RGB", size, shaded(scene.palette.light, 0.2))
        draw = ImageDraw.Draw(image)
        step = max(3.0, max(size) / 64 * hand)
        radius = step * 0.56
        dots = [(column * step, row * step) for row in range(int(size[1] / step) + 2) for column in range(int(size[0] / step) + 2)]
        rng.shuffle(dots)
        for left, top in dots:
            x, y = left + rng.uniform(-0.4, 0.4) * step, top + rng.uniform(-0.4, 0.4) * step
            under = seen[min(size[0] - 1, max(0, int(x))), min(size[1] - 1, max(0, int(y)))]
            assert isinstance(under, tuple)
            colour = jittered((under[0], under[1], under[2]), rng, 26)
            if rng.random() < 0.14:  # noqa: PLR2004  # one dot in seven is of the complementary light
                colour = shaded(rng.choice((scene.palette.accent, scene.palette.sky, scene.palette.light)), 0.1)
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        return image
