"""Cubism: the scene broken into facets, each seen from a little elsewhere, in muted tones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from producer.samples.palettes import mixed, shaded
from producer.samples.study import gradient, study
from producer.samples.styles.style import Artist
from producer.samples.surface import blended, grained, noise
from producer.samples.warp import taken

if TYPE_CHECKING:
    from numpy.random import Generator
    from PIL import Image

    from producer.samples.palettes import Palette
    from producer.samples.scene import Scene


class Cubism:
    """Straight cuts through the whole image; every facet is moved, shaded across and edged."""

    name = "Cubism"
    adjective = "cubist"
    artists = (
        Artist(name="Émile Facette", palettes=("autumn", "desert", "meadow", "crimson"), stroke=1.0, slant=0.2),
        Artist(name="Ramón Aristas", palettes=("rose and grey", "emerald and gold", "dawn", "autumn"), stroke=0.75, slant=0.6, line=1.4),
        Artist(name="Vera Kubik", palettes=("sea blue", "night", "violet dusk", "rose and grey"), stroke=1.3, slant=-0.2, line=0.8),
    )

    def paint(self, scene: Scene, palette: Palette, size: tuple[int, int], artist: Artist, rng: Generator) -> Image.Image:
        """The cuts run in two bundles of nearly parallel lines and some that cross them."""
        drawn = study(scene, palette, size, contour=0.009 * artist.line)
        height, width = drawn.index.shape
        x, y = (np.arange(width, dtype=np.float32) / drawn.scale)[None, :], (np.arange(height, dtype=np.float32) / drawn.scale)[:, None]
        cuts = max(6, round(10 / artist.stroke))
        facet, depth = np.zeros((height, width), np.int32), np.full((height, width), 9.0, np.float32)
        for cut in range(cuts):
            angle = artist.slant + (0.0, math.pi / 2, math.pi / 4)[cut % 3] + rng.normal(0, 0.22)
            off = math.cos(angle) * scene.width * rng.uniform(0.1, 0.9) + math.sin(angle) * scene.height * rng.uniform(0.1, 0.9)
            side = x * math.cos(angle) + y * math.sin(angle) - np.float32(off)
            facet |= (side > 0).astype(np.int32) << cut
            depth = np.where((side > 0) & (side < depth), side, depth)
        move = (rng.uniform(-0.019, 0.019, (2, 2**cuts)) * drawn.scale).astype(np.float32)
        moved = drawn.moved(taken(drawn, move[0][facet], move[1][facet]))
        seen = moved.coloured(lambda shape: gradient(shape, palette), loud=0.75)
        tones = np.array(
            [palette.far, palette.glow, shaded(palette.ground, palette, -0.35), mixed(palette.sky, palette.light, 0.5)], np.uint8
        )
        tone = tones[rng.integers(0, len(tones), 2**cuts)][facet]
        fading = np.clip(1 - depth / 0.16, 0, 1)
        strength = rng.uniform(0.08, 0.42, 2**cuts).astype(np.float32)[facet]
        painted = blended(seen, tone, strength * (0.35 + 0.65 * fading))
        edge = depth < 0.0045 * artist.line
        painted = blended(painted, shaded(palette.dark, palette, 0.1), edge * np.float32(0.55))
        image = drawn.image(painted)
        return grained(image, noise(rng, (image.height, image.width), 130) * 9)
