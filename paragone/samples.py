"""Sample artworks to try Paragone with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from producer.samples import SampleTree


def paint_samples(folder: str | Path, *, count: int = 48, size: int = 512, seed: int = 0) -> SampleTree:
    """Paint sample artworks with a catalogue into a folder, as `paragone samples` does; the same seed paints the same images.

    Args:
        folder: made if it is not there. It is a catalogue that `Project.ingest` takes.
        count: scenes; from 12 on a few artworks with gaps come on top, for cleaning to find.
        size: pixels on the longer side.
        seed: decides scenes, styles and palettes.
    """
    from producer.samples import paint_tree

    return paint_tree(Path(folder), count=count, size=size, seed=seed)
