"""Small pictures to work on: dark ones, and bright ones that a fake can be told to stumble over."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

STYLES = ("Baroque", "Cubism", "Pop_Art")

#: The word by which the fake captioner tells a bright picture; its prompts carry it on.
BRIGHT = "bright"


def paint(folder: Path, count: int, *, bright: Collection[int] = ()) -> list[Path]:
    """Paint so many pictures as `Style/artist_title.png`, wide and tall ones; those numbered in `bright` are bright, the others dim."""
    made = []
    for number in range(count):
        path = folder / STYLES[number % len(STYLES)] / f"painter-{number % 5}_study-{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number, bright=number in bright).save(path)
        made.append(path)
    return made


def picture(number: int, *, bright: bool = False) -> Image.Image:
    """A patchwork of its own, 96 x 64 or 64 x 96 pixels."""
    rng = random.Random(number)
    lowest, highest = (205, 250) if bright else (60, 120)
    patches = Image.frombytes("RGB", (6, 6), bytes(rng.randint(lowest, highest) for _ in range(6 * 6 * 3)))
    return patches.resize((96, 64) if number % 2 else (64, 96), Image.Resampling.NEAREST)
