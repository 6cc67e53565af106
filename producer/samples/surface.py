"""Surfaces: noise, grain, blur and vignettes that are the same at every size, only finer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from producer.samples.palettes import Colour
    from producer.samples.study import Pixels, Plane


def noise(rng: Generator, shape: tuple[int, ...], across: float, down: float | None = None) -> Plane:
    """Smooth noise of about [-1, 1] with so many cells along a square image's sides; height x width."""
    height, width = shape[:2]
    side = math.sqrt(height * width)
    cells = max(2, round((down or across) * height / side)), max(2, round(across * width / side))
    grid = Image.fromarray(rng.uniform(-1, 1, cells).astype(np.float32))
    return np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=None), np.float32)


def lit(image: Image.Image, light: Plane) -> Image.Image:
    """An image whose colours are multiplied by one plus the light."""
    return Image.fromarray(np.clip(np.asarray(image) * (1 + light)[..., None], 0, 255).astype(np.uint8))


def blended(pixels: Pixels, other: Pixels | Colour, share: Plane | NDArray[np.bool_] | float) -> Pixels:
    """The first colours with a share of the others in them."""
    ours = Image.fromarray(np.ascontiguousarray(pixels))
    theirs = Image.new("RGB", ours.size, other) if isinstance(other, tuple) else Image.fromarray(np.ascontiguousarray(other))
    if not isinstance(share, np.ndarray):
        return np.asarray(Image.blend(ours, theirs, share))
    mask = share.view(np.uint8) * np.uint8(255) if share.dtype == np.bool_ else (np.clip(share, 0, 1) * 255).astype(np.uint8)
    return np.asarray(Image.composite(theirs, ours, Image.fromarray(mask)))


def blurred(pixels: Pixels, radius: float) -> Pixels:
    """The same out of focus, by so many pixels."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).filter(ImageFilter.BoxBlur(radius)).filter(ImageFilter.BoxBlur(radius)))


def grained(image: Image.Image, grain: Plane) -> Image.Image:
    """An image with a grain added to its tones."""
    return Image.fromarray(np.clip(np.asarray(image) + grain[..., None], 0, 255).astype(np.uint8))


def distance(shape: tuple[int, ...], x: float = 0.5, y: float = 0.5) -> Plane:
    """Distance from a point, both given as shares of the image: half its side is one."""
    height, width = shape[:2]
    across = (np.arange(width, dtype=np.float32) / width - x)[None, :] * 2
    down = (np.arange(height, dtype=np.float32) / height - y)[:, None] * 2
    return np.sqrt(across**2 + down**2)
