"""Cubism: the scene broken into facets, each seen from a little elsewhere, in muted tones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageEnhance

from producer.samples.scene import shaded
from producer.samples.styles.style import Artist

if TYPE_CHECKING:
    from random import Random

    from producer.samples.scene import Point, Scene


class Cubism:
    """Facets of a bent grid; each shows the scene moved, turned in light and edged."""

    name = "Cubism"
    adjective = "cubist"
    artists = (
        Artist(name="Émile Facette", palettes=("autumn", "desert"), hand=1.0),
        Artist(name="Ramón Aristas", palettes=("rose and grey", "emerald and gold"), hand=1.3),
        Artist(name="Vera Kubik", palettes=("sea blue", "night"), hand=0.8),
    )

    def paint(self, scene: Scene, size: tuple[int, int], hand: float, rng: Random) -> Image.Image:
        """Every cell of the grid is cut along a diagonal into two facets."""
        flat = ImageEnhance.Color(scene.flat(size, outline=0.006)).enhance(0.75)
        image = flat.copy()
        cells = max(4, round(7 / hand))
        corners = [[self._corner(column, row, cells, size, rng) for column in range(cells + 1)] for row in range(cells + 1)]
        for row in range(cells):
            for column in range(cells):
                a, b = corners[row][column], corners[row][column + 1]
                c, d = corners[row + 1][column + 1], corners[row + 1][column]
                for facet in ((a, b, c), (a, c, d)) if rng.random() < 0.5 else ((a, b, d), (b, c, d)):  # noqa: PLR2004
                    self._facet(image, flat, facet, scene, rng)
        return image

    def _facet(self, image: Image.Image, flat: Image.Image, facet: tuple[Point, ...], scene: Scene, rng: Random) -> None:
        reach = max(image.size) * 0.035
        moved = (round(rng.uniform(-reach, reach)), round(rng.uniform(-reach, reach)))
        left, top = (int(min(point[axis] for point in facet)) for axis in (0, 1))
        right, bottom = (int(max(point[axis] for point in facet)) + 1 for axis in (0, 1))
        across = min(max(0, left + moved[0]), max(0, flat.width - (right - left)))
        down = min(max(0, top + moved[1]), max(0, flat.height - (bottom - top)))
        part = flat.crop((across, down, across + right - left, down + bottom - top))
        part = Image.blend(part, Image.new("RGB", part.size, shaded(scene.palette.far, rng.uniform(-0.5, 0.6))), rng.uniform(0.1, 0.36))
        mask = Image.new("L", part.size, 0)
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in facet], fill=255)
        image.paste(part, (left, top), mask)
        edge = shaded(scene.palette.dark, rng.uniform(0.0, 0.5))
        ImageDraw.Draw(image).line([facet[0], facet[1], facet[2]], fill=edge, width=max(1, max(image.size) // 220))

    def _corner(self, column: int, row: int, cells: int, size: tuple[int, int], rng: Random) -> Point:
        """Corners on the rim stay on it; the others wander."""
        wander = 0.38 / cells
        x = column / cells + (rng.uniform(-wander, wander) if 0 < column < cells else 0.0)
        y = row / cells + (rng.uniform(-wander, wander) if 0 < row < cells else 0.0)
        return x * size[0], y * size[1]
