"""Which side of a split each group of copies falls on: drawn by a seed and stratified by style, or as the catalogue has it.

Drawn: groups are laid out style by style, shuffled within each, and picked at even steps from a random start (systematic sampling). The
share of each style is thereby met within one group, however small the style, and the share of the whole exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.training.triplet_sets import Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from random import Random

#: A side with fewer groups cannot hold an artwork and a negative of another group.
LEAST_GROUPS = 2

#: What catalogues call the sides. Any other word, such as WikiArt's "uncertain artist", says nothing about a side.
SUBSET_WORDS = {
    **dict.fromkeys(("train", "training"), Split.TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev"), Split.VALIDATION),
    **dict.fromkeys(("test", "testing"), Split.TEST),
}


def draw_splits(styles: Mapping[str, str], *, test: float, validation: float, random: Random) -> dict[str, Split]:
    """The split of each group, given each group's style ("" if unknown); depends on nothing but names, styles, shares and `random`.

    Args:
        styles: group to style.
        test: share of all groups to test on.
        validation: share of the others to validate on; 0 for none.
        random: where the draw comes from.

    Raises:
        ValueError: there are too few groups for these sides.
    """
    sides = 3 if validation else 2
    if len(styles) < sides * LEAST_GROUPS:
        raise ValueError(f"{len(styles)} different artworks are too few to split {sides} ways")
    line = _by_style(styles, random)
    tested = set(_spread(line, _count(len(line), test, (sides - 1) * LEAST_GROUPS), random))
    rest = [group for group in line if group not in tested]
    validated = set(_spread(rest, _count(len(rest), validation, LEAST_GROUPS), random)) if validation else set()
    return {group: Split.TEST if group in tested else Split.VALIDATION if group in validated else Split.TRAIN for group in line}


def splits_by_subset(subsets: Iterable[tuple[str, str | None]]) -> dict[str, Split]:
    """The split of each group by the catalogue's own word for each of its copies, as (group, subset).

    No group leaks: one whose copies stand on several sides is trained on as a whole, as is one whose subset names no side.
    """
    found: dict[str, Split] = {}
    for group, subset in subsets:
        side = SUBSET_WORDS.get((subset or "").strip().casefold(), Split.TRAIN)
        found[group] = side if found.setdefault(group, side) is side else Split.TRAIN
    return found


def _by_style(styles: Mapping[str, str], random: Random) -> list[str]:
    """All groups, those of one style side by side; styles and groups each in a random order."""
    names = sorted(set(styles.values()))
    random.shuffle(names)
    place = {style: index for index, style in enumerate(names)}
    groups = sorted(styles)
    random.shuffle(groups)
    return sorted(groups, key=lambda group: place[styles[group]])


def _count(total: int, share: float, left_over: int) -> int:
    """`share` of `total`, rounded, but enough for this split and for those that follow."""
    return min(max(int(total * share + 0.5), LEAST_GROUPS), total - left_over)


def _spread(line: Sequence[str], count: int, random: Random) -> list[str]:
    """`count` elements at even steps: any run of m neighbours gives m * count / n of them, rounded up or down."""
    start = random.random()
    return [line[int((index + start) * len(line) / count)] for index in range(count)]
