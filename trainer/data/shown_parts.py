"""Which part of each original its repaints show, where a preparation cut off an edge: only that part may be compared with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from db.results.pairs import Repaint

Box = tuple[int, int, int, int]


def shown_parts(made: Iterable[Repaint]) -> dict[str, Box]:
    """Left, top, right, bottom in pixels of the upright original, by its content hash; originals that are shown whole are not named.

    The repaints are those of one campaign, which prepares an original in one way.
    """
    boxes: dict[str, Box] = {}
    for repaint in made:
        box, original = repaint.provenance.get("source_box"), repaint.provenance.get("original")
        if box is not None and original is not None:
            left, top, right, bottom = box
            boxes[original] = (left, top, right, bottom)
    return boxes
