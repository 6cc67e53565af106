"""Pop art: loud flat colours, thick contours, the printer's dots, and ink beside its place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageDraw

from producer.samples.palettes import Colour, mixed, shaded
from producer.samples.scene import Role, Shape
from producer.samples.study import study
from producer.samples.styles.style import Artist
from producer.samples.surface import blended

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray
    from PIL import Image

    from producer.samples.palettes import Palette
    from producer.samples.scene import Scene


class PopArt:
    """A comic panel in its gutter."""

    name = "Pop Art"
    adjective = "pop art"
    artists = (
        Artist(name="Roy Halftone", palettes=("meadow", "sea blue", "crimson", "dawn"), stroke=1.0, slant=0.26),
        Artist(name="Dotty Lichtman", palettes=("dawn", "rose and grey", "violet dusk", "desert"), stroke=1.3, line=1.3, slant=0.785),
        Artist(name="Andréa Silkwood", palettes=("desert", "night", "emerald and gold", "autumn"), stroke=0.9, line=0.85, slant=0.0),
    )

    def paint(self, scene: Scene, palette: Palette, size: tuple[int, int], artist: Artist, rng: Generator) -> Image.Image:
        """Skies and land carry dots that grow with depth; the things are plain ink."""
        drawn = study(scene, palette, size, contour=0.017 * artist.line)

        def ink(shape: Shape) -> tuple[Colour, Colour]:
            own = palette.colour(shape.part)
            colour = mixed(own, palette.colour(shape.into), sum(shape.veil) / 2) if shape.into and shape.role is not Role.AREA else own
            colour = shaded(colour, palette, round(shape.shade * 4) / 4)
            return colour, colour

        inked = drawn.coloured(ink, loud=1.45)
        behind = drawn.where(Role.AREA, Role.SCENERY)
        dots = self._dots(drawn.index.shape, 0.026 * artist.stroke * drawn.scale, artist.slant)
        deep = np.array([shape.part in {"ground", "far"} for shape in drawn.shapes] + [False])[drawn.index]
        printed = blended(inked, palette.light, (dots & behind & ~deep) * np.float32(0.85))
        printed = blended(
            printed, shaded(mixed(palette.ground, palette.sky, 0.3), palette, -0.5), (dots & behind & deep) * np.float32(0.75)
        )
        things = drawn.where(Role.THING)
        shift = max(1, round(0.007 * drawn.scale))
        beside = np.roll(things, (shift, shift * int(rng.choice((-1, 1)))), (0, 1)) & behind
        printed = blended(printed, palette.accent, beside * np.float32(0.9))
        image = drawn.image(printed)
        draw, unit = ImageDraw.Draw(image), (image.width * image.height) ** 0.5
        edge = max(1, round(unit * 0.028))
        draw.rectangle((0, 0, image.width - 1, image.height - 1), outline=palette.light, width=edge)
        draw.rectangle(
            (edge, edge, image.width - 1 - edge, image.height - 1 - edge), outline=palette.dark, width=max(1, round(unit * 0.012))
        )
        return image

    def _dots(self, shape: tuple[int, ...], step: float, angle: float) -> NDArray[np.bool_]:
        """A screen of dots at an angle, larger towards the upper edge."""
        height, width = shape
        x, y = np.arange(width, dtype=np.float32)[None, :] / step, np.arange(height, dtype=np.float32)[:, None] / step
        across, down = x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)
        near = (across - np.round(across)) ** 2 + (down - np.round(down)) ** 2
        radius = 0.38 - 0.14 * np.arange(height, dtype=np.float32)[:, None] / height
        dots: NDArray[np.bool_] = near < radius**2
        return dots
