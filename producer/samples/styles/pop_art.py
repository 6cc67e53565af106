"""Pop art: loud flat colours, thick contours, and the printer's dots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageEnhance

from producer.samples.styles.style import Artist

if TYPE_CHECKING:
    from random import Random

    from producer.samples.scene import Scene


class PopArt:
    """A comic panel, sometimes four of them in changed colours."""

    name = "Pop Art"
    adjective = "pop art"
    artists = (
        Artist(name="Roy Halftone", palettes=("meadow", "sea blue"), hand=1.0),
        Artist(name="Dotty Lichtman", palettes=("dawn", "rose and grey"), hand=1.3),
        Artist(name="Andrea Silkwood", palettes=("desert", "night"), hand=0.9),
    )

    def paint(self, scene: Scene, size: tuple[int, int], hand: float, rng: Random) -> Image.Image:
        """One panel with dots in its lighter areas, or two by two panels whose colour channels trade places."""
        if rng.random() < 0.3:  # noqa: PLR2004
            return self._four(scene, size, hand)
        return self._panel(scene, size, hand)

    def _four(self, scene: Scene, size: tuple[int, int], hand: float) -> Image.Image:
        image = Image.new("RGB", size)
        half = (size[0] - size[0] // 2, size[1] - size[1] // 2)
        red, green, blue = self._panel(scene, half, hand).split()
        for place, channels in enumerate(((red, green, blue), (green, blue, red), (blue, red, green), (red, blue, green))):
            image.paste(Image.merge("RGB", channels), (place % 2 * (size[0] // 2), place // 2 * (size[1] // 2)))
        return image

    def _panel(self, scene: Scene, size: tuple[int, int], hand: float) -> Image.Image:
        flat = ImageEnhance.Color(scene.flat(size, outline=0.012)).enhance(2.2)
        dots = Image.new("L", size, 0)
        draw = ImageDraw.Draw(dots)
        step = max(4, round(max(size) / 46 * hand))
        radius = step * 0.3
        for row in range(size[1] // step + 2):
            for column in range(size[0] // step + 2):
                x, y = (column + row % 2 / 2) * step, row * step
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        light = flat.convert("L").point(lambda value: 255 if value > 120 else 0)  # noqa: PLR2004
        image = flat.copy()
        image.paste(scene.palette.accent, (0, 0, *size), ImageChops.multiply(dots, light))
        ImageDraw.Draw(image).rectangle((0, 0, size[0] - 1, size[1] - 1), outline=scene.palette.dark, width=max(2, max(size) // 60))
        return image
