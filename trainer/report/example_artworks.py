"""Which artworks are shown: a style in turn, those with most levels first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from db.images import prepared_original
from trainer.report.content import ExampleArtwork, ExampleRepaint
from trainer.report.thumbnails import read_or_none

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from db.results.pairs import Original, Repaint
    from db.store import Store

#: Artworks on the contact sheet.
EXAMPLES = 8


def choose_examples(store: Store, levels: Sequence[str], found: Sequence[Original], made: Sequence[Repaint]) -> tuple[ExampleArtwork, ...]:
    """Up to `EXAMPLES` originals with their first repaint of each level; images that cannot be read are skipped."""
    first: dict[int, dict[str, Repaint]] = {}
    for repaint in made:  # by ordinal within each level
        first.setdefault(repaint.artwork_id, {}).setdefault(repaint.level, repaint)
    examples: list[ExampleArtwork] = []
    for original in _in_turn(found, first):
        repaints = sorted(first[original.artwork_id].values(), key=lambda repaint: levels.index(repaint.level))
        examples += _example(store, original, repaints)
        if len(examples) == EXAMPLES:
            break
    return tuple(examples)


def _in_turn(found: Sequence[Original], first: Mapping[int, Mapping[str, Repaint]]) -> list[Original]:
    """Originals with repaints: the first of every style, then the second of every style, and so on."""
    with_repaints = [original for original in found if original.artwork_id in first]
    seen: Counter[str] = Counter()
    ranks: dict[int, tuple[int, str]] = {}
    for original in sorted(with_repaints, key=lambda original: (-len(first[original.artwork_id]), original.key)):
        style = original.style or ""
        ranks[original.artwork_id] = (seen[style], style)
        seen[style] += 1
    return sorted(with_repaints, key=lambda original: (-len(first[original.artwork_id]), *ranks[original.artwork_id]))


def _example(store: Store, original: Original, repaints: Sequence[Repaint]) -> Iterator[ExampleArtwork]:
    image = read_or_none(store, original)
    shown = tuple(
        ExampleRepaint(level=repaint.level, image=repainted, prompt=repaint.prompt, brief=repaint.brief, recaption=repaint.recaption)
        for repaint in repaints
        if (repainted := read_or_none(store, repaint)) is not None
    )
    if image is not None and shown:
        yield ExampleArtwork(
            image=prepared_original(image, repaints[0].provenance),
            title=original.title or original.key,
            artist=original.artist or "unknown artist",
            style=original.style or "unknown style",
            caption=repaints[0].caption,
            repaints=shown,
        )
