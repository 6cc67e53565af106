"""Ukiyo-e: flat colours within fine dark lines, a sky that fades, paper grain and a seal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageEnhance

from producer.samples.scene import shaded
from producer.samples.styles.style import Artist

if TYPE_CHECKING:
    from random import Random

    from producer.samples.scene import Scene

_PAPER = (243, 232, 208)


class UkiyoE:
    """A woodblock print."""

    name = "Ukiyo e"
    adjective = "ukiyo-e"
    artists = (
        Artist(name="Hanabusa Seirei", palettes=("sea blue", "dawn"), hand=0.8),
        Artist(name="Mizuno Kōun", palettes=("emerald and gold", "rose and grey"), hand=1.0),
        Artist(name="Tachibana Gekkei", palettes=("night", "autumn"), hand=1.25),
    )

    def paint(self, scene: Scene, size: tuple[int, int], hand: float, rng: Random) -> Image.Image:
        """Outlined areas printed on paper: darkest at the top of the sky, as a wiped block prints."""
        width, height = size
        print_ = ImageEnhance.Color(scene.flat(size, outline=0.005 * hand)).enhance(0.8)
        paper = Image.new("RGB", size, _PAPER)
        image = ImageChops.multiply(print_, paper)
        draw = ImageDraw.Draw(image)
        fade = Image.linear_gradient("L").resize((width, max(1, height // 3)))
        band = Image.new("RGB", fade.size, shaded(scene.palette.main, -0.35))
        image.paste(band, (0, 0), ImageChops.invert(fade).point(lambda value: value * 0.6))
        grain = max(1, height // 90)
        for _ in range(160):
            x, y, reach = rng.randrange(width), rng.randrange(height), rng.randint(width // 30, width // 8)
            tone = image.getpixel((x, y))
            assert isinstance(tone, tuple)
            draw.line((x, y, x + reach, y), fill=shaded((int(tone[0]), int(tone[1]), int(tone[2])), rng.uniform(-0.05, 0.07)), width=grain)
        seal = max(6, max(size) // 16)
        left, top = width - seal * 2, seal
        draw.rectangle((left, top, left + seal, top + seal * 1.7), fill=(176, 42, 36))
        for row in range(3):
            draw.line(
                (left + seal * 0.25, top + seal * (0.35 + row * 0.5), left + seal * 0.75, top + seal * (0.3 + row * 0.5)),
                fill=_PAPER,
                width=grain,
            )
        margin = max(2, max(size) // 40)
        draw.rectangle((0, 0, width - 1, height - 1), outline=_PAPER, width=margin)
        return image
