"""Colour field: the scene's great areas as glowing, soft-edged bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter

from producer.samples.scene import shaded
from producer.samples.styles.style import Artist

if TYPE_CHECKING:
    from random import Random

    from producer.samples.scene import Scene


class ColorField:
    """Two to four fields on a stained ground; of the scene only a breath stays."""

    name = "Color Field Painting"
    adjective = "colour field"
    artists = (
        Artist(name="Miriam Feld", palettes=("autumn", "night"), hand=1.0),
        Artist(name="Joseph Wideman", palettes=("dawn", "emerald and gold"), hand=1.4),
    )

    def paint(self, scene: Scene, size: tuple[int, int], hand: float, rng: Random) -> Image.Image:
        """Fields are laid with ragged edges, blurred, and veiled over the blurred scene."""
        width, height = size
        ground = shaded(scene.palette.far, rng.uniform(-0.15, 0.15))
        image = Image.new("RGB", size, ground)
        draw = ImageDraw.Draw(image)
        colours = list(scene.palette.all()[:5])
        rng.shuffle(colours)
        shares = [rng.uniform(0.6, 1.6) for _ in range(rng.randint(2, 4))]
        gap, top = 0.035, 0.06
        room = (0.88 - gap * (len(shares) - 1)) / sum(shares)
        for share, colour in zip(shares, colours, strict=False):
            bottom = top + share * room
            left = [(0.07 + rng.uniform(-0.012, 0.012), top + (bottom - top) * step / 8) for step in range(9)]
            right = [(0.93 + rng.uniform(-0.012, 0.012), top + (bottom - top) * step / 8) for step in range(8, -1, -1)]
            draw.polygon([(x * width, y * height) for x, y in left + right], fill=colour)
            top = bottom + gap
        soft = image.filter(ImageFilter.GaussianBlur(max(size) / 70 * hand))
        breath = scene.flat(size).filter(ImageFilter.GaussianBlur(max(size) / 9))
        return Image.blend(soft, breath, 0.16)
