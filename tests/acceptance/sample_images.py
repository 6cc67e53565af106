"""Small originals to work on: dim ones, and bright ones on which a fake backend can be made to fail."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

STYLES = ("Baroque", "Cubism", "Pop_Art")

#: The word in the fake captioner's caption of a bright image; the prompt made of it contains it too.
BRIGHT = "bright"


def write_images(folder: Path, count: int, *, bright: Collection[int] = ()) -> list[Path]:
    """Write `count` files `Style/artist_title.png`, wide and tall by turns; those numbered in `bright` are bright, the others dim."""
    made = []
    for number in range(count):
        path = folder / STYLES[number % len(STYLES)] / f"painter-{number % 5}_study-{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        sample_image(number, bright=number in bright).save(path)
        made.append(path)
    return made


def sample_image(number: int, *, bright: bool = False) -> Image.Image:
    """A patchwork that no other number gives, 96 x 64 or 64 x 96 pixels."""
    rng = random.Random(number)
    lowest, highest = (205, 250) if bright else (60, 120)
    patches = Image.frombytes("RGB", (6, 6), bytes(rng.randint(lowest, highest) for _ in range(6 * 6 * 3)))
    return patches.resize((96, 64) if number % 2 else (64, 96), Image.Resampling.NEAREST)
