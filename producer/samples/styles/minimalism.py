"""Minimalism: what is left of the scene when nearly all is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from producer.samples.scene import shaded
from producer.samples.styles.style import Artist

if TYPE_CHECKING:
    from random import Random

    from producer.samples.scene import Scene


class Minimalism:
    """A plain ground, the scene's few largest forms in two colours, one fine line."""

    name = "Minimalism"
    adjective = "minimalist"
    artists = (
        Artist(name="Agnes Plain", palettes=("rose and grey", "desert"), hand=0.8),
        Artist(name="Sol Weniger", palettes=("autumn", "meadow"), hand=1.2),
    )

    def paint(self, scene: Scene, size: tuple[int, int], hand: float, rng: Random) -> Image.Image:
        """Few shapes stay, small on much ground."""
        ground = shaded(scene.palette.light, rng.uniform(0.0, 0.5))
        kept = [replace(shape, shade=0.0) for shape in scene.shapes if shape.part in {"main", "accent"}]
        if not kept:  # the moon and her birds are light and dark
            kept = [
                replace(shape, part="main" if shape.round else "dark", shade=0.0)
                for shape in scene.shapes
                if shape.round or shape.part == "dark"
            ]
        few = replace(scene, shapes=tuple(kept), palette=replace(scene.palette, sky=ground))
        image = Image.new("RGB", size, ground)
        inner = (max(8, round(size[0] * 0.72)), max(8, round(size[1] * 0.72)))
        image.paste(few.flat(inner), ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
        line = max(1, round(max(size) * 0.006 * hand))
        y = round(size[1] * rng.uniform(0.86, 0.91))
        ImageDraw.Draw(image).line((round(size[0] * 0.1), y, round(size[0] * 0.9), y), fill=scene.palette.dark, width=line)
        return image
