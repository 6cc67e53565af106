"""Impressionism: short soft strokes in broken colour."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import ImageDraw, ImageFilter

from producer.samples.scene import shaded
from producer.samples.styles.style import Artist, jittered

if TYPE_CHECKING:
    from random import Random

    from PIL import Image

    from producer.samples.scene import Scene


class Impressionism:
    """Strokes that lie flat on water and land and lean in the air."""

    name = "Impressionism"
    adjective = "impressionist"
    artists = (
        Artist(name="Élise Brumaire", palettes=("dawn", "meadow"), hand=1.0),
        Artist(name="Henri Lavergne", palettes=("sea blue", "rose and grey"), hand=1.25),
        Artist(name="Ada Whitcombe", palettes=("autumn", "emerald and gold"), hand=0.85),
    )

    def paint(self, scene: Scene, size: tuple[int, int], hand: float, rng: Random) -> Image.Image:
        """A blurred underpainting, then strokes from coarse to fine."""
        flat = scene.flat(size)
        unit = max(size) / 100
        image = flat.filter(ImageFilter.GaussianBlur(unit * 2.5))
        seen = flat.load()
        assert seen is not None
        draw = ImageDraw.Draw(image)
        for coarse, number in ((2.2, 500), (1.3, 1300)):
            for _ in range(number):
                x, y = rng.random() * size[0], rng.random() * size[1]
                under = seen[int(x), int(y)]
                assert isinstance(under, tuple)
                colour = shaded(jittered((under[0], under[1], under[2]), rng, 18), rng.uniform(-0.12, 0.22))
                angle = rng.gauss(0.1 if y > size[1] * 0.5 else 0.7, 0.3)
                reach = unit * coarse * hand * rng.uniform(1.0, 1.9)
                dx, dy = math.cos(angle) * reach, math.sin(angle) * reach
                draw.line((x - dx, y - dy, x + dx, y + dy), fill=colour, width=max(1, round(unit * coarse * hand)))
        return image.filter(ImageFilter.GaussianBlur(unit * 0.25))
