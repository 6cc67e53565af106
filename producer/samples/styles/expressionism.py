"""Expressionism: heavy bent strokes, loud colour, dark contours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import ImageDraw, ImageEnhance

from producer.samples.scene import shaded
from producer.samples.styles.style import Artist, jittered

if TYPE_CHECKING:
    from random import Random

    from PIL import Image

    from producer.samples.scene import Scene


class Expressionism:
    """Long strokes that follow a whirl over the whole picture."""

    name = "Expressionism"
    adjective = "expressionist"
    artists = (
        Artist(name="Käthe Sturm", palettes=("night", "autumn"), hand=1.2),
        Artist(name="Nils Orkan", palettes=("emerald and gold", "desert"), hand=1.0),
        Artist(name="Jadwiga Wicher", palettes=("dawn", "night"), hand=1.45),
    )

    def paint(self, scene: Scene, size: tuple[int, int], hand: float, rng: Random) -> Image.Image:
        """The flat scene with contours, louder, under strokes along sine-bent directions."""
        image = ImageEnhance.Color(scene.flat(size, outline=0.012 * hand)).enhance(1.7)
        source = image.copy().load()
        assert source is not None
        draw = ImageDraw.Draw(image)
        unit = max(size) / 100
        waves, phase = rng.uniform(1.5, 3.0), rng.random() * math.tau
        for _ in range(900):
            x, y = rng.random() * size[0], rng.random() * size[1]
            under = source[int(x), int(y)]
            assert isinstance(under, tuple)
            colour = shaded(jittered((under[0], under[1], under[2]), rng, 14), rng.uniform(-0.25, 0.2))
            track = [(x, y)]
            for _step in range(5):
                angle = phase + math.sin(waves * math.tau * track[-1][0] / size[0]) + math.cos(waves * math.tau * track[-1][1] / size[1])
                track.append((track[-1][0] + math.cos(angle) * unit * 1.6, track[-1][1] + math.sin(angle) * unit * 1.6))
            draw.line(track, fill=colour, width=max(1, round(unit * 0.9 * hand)), joint="curve")
        return ImageEnhance.Contrast(image).enhance(1.15)
