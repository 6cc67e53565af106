"""Ukiyo-e: flat colours within dark lines, wiped skies, wood grain, paper and a seal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageDraw

from producer.samples.palettes import Colour, mixed, shaded
from producer.samples.study import Plane, gradient, study
from producer.samples.styles.style import Artist
from producer.samples.surface import blended, noise

if TYPE_CHECKING:
    from numpy.random import Generator
    from PIL import Image

    from producer.samples.palettes import Palette
    from producer.samples.scene import Scene, Shape


_PAPER = (246, 236, 212)
_SEAL = (178, 40, 34)


class UkiyoE:
    """A woodblock print."""

    name = "Ukiyo e"
    adjective = "ukiyo-e"
    artists = (
        Artist(name="Hanabusa Seirei", palettes=("sea blue", "dawn", "meadow", "violet dusk"), line=0.85, stroke=1.0),
        Artist(name="Mizuno Kōun", palettes=("emerald and gold", "rose and grey", "desert", "crimson"), line=1.1, stroke=1.4),
        Artist(name="Tachibana Gekkei", palettes=("night", "autumn", "sea blue", "rose and grey"), line=1.4, stroke=0.7),
    )

    def paint(self, scene: Scene, palette: Palette, size: tuple[int, int], artist: Artist, rng: Generator) -> Image.Image:
        """Areas keep one tone, the sky darkens upwards as a wiped block prints; the paper shows through and around."""
        drawn = study(scene, palette, size, contour=0.0085 * artist.line)

        def flat(shape: Shape) -> tuple[Colour, Colour]:
            own = shaded(palette.colour(shape.part), palette, shape.shade)
            return gradient(shape, palette) if shape.into else (own, own)

        print_ = drawn.coloured(flat, loud=0.9)
        height = drawn.index.shape[0]
        down = (np.arange(height, dtype=np.float32) / height)[:, None]
        sky = np.array([shape.part in {"sky", "far"} for shape in drawn.shapes] + [False])[drawn.index]
        wiped: Plane = np.clip(1 - down / 0.24, 0, 1) ** np.float32(1.4) * np.float32(0.75)
        print_ = blended(print_, shaded(mixed(palette.sky, palette.main, 0.15), palette, -0.55), (sky * wiped).astype(np.float32))
        wood = noise(rng, print_.shape, 5, 150 / artist.stroke) * 0.6 + noise(rng, print_.shape, 260) * 0.4
        print_ = blended(print_, _PAPER, wood * np.float32(0.09) + np.float32(0.12))
        rim = round(0.024 * drawn.scale)
        paper = np.empty_like(print_)
        paper[:] = mixed(_PAPER, palette.glow, 0.3)
        paper[rim:-rim, rim:-rim] = print_[rim:-rim, rim:-rim]
        image = drawn.image(paper)
        self._signed(image, rng.random() < 0.5, palette)  # noqa: PLR2004
        return image

    def _signed(self, image: Image.Image, right: bool, palette: Palette) -> None:
        """A seal under a name's strip, in an upper corner."""
        draw, unit = ImageDraw.Draw(image), (image.width * image.height) ** 0.5
        left = image.width - unit * 0.1 if right else unit * 0.055
        top, wide = unit * 0.055, unit * 0.045
        draw.rectangle((left, top, left + wide, top + unit * 0.13), fill=mixed(_PAPER, palette.glow, 0.3), outline=palette.dark)
        draw.rectangle((left, top + unit * 0.14, left + wide, top + unit * 0.185), fill=_SEAL)
        for row in range(4):
            y = top + unit * (0.02 + row * 0.027)
            draw.line((left + wide * 0.25, y, left + wide * 0.75, y + unit * 0.008), fill=palette.dark, width=max(1, round(unit * 0.006)))
