"""Minimalism: a plain ground, a horizon, and the things in one flat colour or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.samples.palettes import Colour, mixed
from producer.samples.scene import Role, Shape
from producer.samples.study import study
from producer.samples.styles.style import Artist
from producer.samples.surface import grained, noise

if TYPE_CHECKING:
    from numpy.random import Generator
    from PIL import Image

    from producer.samples.palettes import Palette
    from producer.samples.scene import Scene


class Minimalism:
    """All details go; areas come close to one another; the things stand alone."""

    name = "Minimalism"
    adjective = "minimalist"
    artists = (
        Artist(name="Agnes Plain", palettes=("rose and grey", "desert", "sea blue", "crimson"), loose=0.7),
        Artist(name="Sol Weniger", palettes=("autumn", "meadow", "night", "violet dusk"), loose=1.0),
        Artist(name="Inés Vacío", palettes=("dawn", "emerald and gold", "night", "rose and grey"), loose=1.4),
    )

    def paint(self, scene: Scene, palette: Palette, size: tuple[int, int], artist: Artist, rng: Generator) -> Image.Image:
        """Ground tones are the palette's sky and ground, drawn together; nothing is shaded."""
        drawn = study(scene, palette, size, roles=(Role.AREA, Role.THING))
        near = 0.5 / artist.loose
        middle = mixed(palette.sky, palette.ground, 0.5)
        areas = [shape for shape in drawn.shapes if shape.role is Role.AREA]

        def flat(shape: Shape) -> tuple[Colour, Colour]:
            own = palette.colour(shape.part)
            if shape.role is Role.AREA:
                own = mixed(own, middle, near) if len(areas) > 1 else own
            elif shape.into:
                own = mixed(own, palette.colour(shape.into), sum(shape.veil) / 2)
            return own, own

        image = drawn.image(drawn.coloured(flat))
        sheet = image.height, image.width
        return grained(image, noise(rng, sheet, 160) * 3 + noise(rng, sheet, 3) * 3)
