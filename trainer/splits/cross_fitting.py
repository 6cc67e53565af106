"""Cross-fitting: folds in which every artwork, and with it every artist, is tested once by a head that has learned from none of them.

Two folds are for a headline: each half is tested by a head that was fitted on the other. More folds are for small sets, where half is too
little to learn from. Each fold has a validation side of its own, of artists that it neither learns from nor tests.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from db.training import Split
from trainer.errors import NothingToTrainOn
from trainer.splits.assignment import SplitAssignment, SplitUnit
from trainer.splits.ratio import VALIDATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The most folds that are made unless more are asked for: beyond five the training side hardly grows.
MOST_FOLDS = 5
#: Blocks that each fold should test where the number of folds is not named.
_TESTED = 6


def folds(
    styles: Mapping[str, str],
    artists: Mapping[str, frozenset[str]],
    *,
    seed: int,
    count: int | None = None,
    unit: SplitUnit = SplitUnit.ARTIST,
    validation: float = VALIDATION,
    joined: Iterable[tuple[str, str]] = (),
) -> tuple[SplitAssignment, ...]:
    """One split a fold; the test sides are disjoint, and together they are all groups.

    Args:
        styles: the style of each group of copies to divide, "" if unknown.
        artists: the artists of each group (`artists_by_group`); groups of unknown artist are each a block of their own.
        seed: decides which blocks are tested together; each split records it.
        count: folds, at least 2; None for as many as leave each a few artists to test, 5 at most.
        unit: ARTIST, or ARTWORK to keep only copies together.
        validation: share of what a fold does not test by which early stopping decides.
        joined: pairs of groups that stay together whoever made them.

    Raises:
        NothingToTrainOn: there are too few artists (or artworks) for so many folds.
        ValueError: `count` is below 2.
    """
    from trainer.splits.balance import LEAST_BLOCKS, balance
    from trainer.splits.blocks import blocks_of

    blocks = blocks_of(styles, artists if unit is SplitUnit.ARTIST else None, joined)
    number = min(MOST_FOLDS, max(2, len(blocks) // _TESTED)) if count is None else count
    if number < 2:  # noqa: PLR2004  # what is tested has to be learned from too
        raise ValueError(f"{number} folds: at least 2 are needed")
    # What a fold does not test has to hold two sides.
    least = max(LEAST_BLOCKS, -(-2 * LEAST_BLOCKS // (number - 1)))
    if len(blocks) < least * number:
        words = f"{len(blocks)} {unit}s are too few for {number} folds: at least {least * number} are needed"
        raise NothingToTrainOn(f"{words}; repaint works of more artists, or split by artwork" if unit is SplitUnit.ARTIST else words)
    tested = balance(blocks, styles, [1 / number] * number, Random(f"paragone-folds-1/{seed}/{number}"), least=least)
    assignments = []
    for place, test in enumerate(tested):
        rest = [block for other, found in enumerate(tested) if other != place for block in found]
        train, validated = balance(
            rest, styles, (1 - validation, validation), Random(f"paragone-fold-validation-1/{seed}/{number}/{place}")
        )
        sides = {Split.TRAIN: train, Split.VALIDATION: validated, Split.TEST: test}
        whole = {group: side for side, found in sides.items() for block in found for group in block.groups}
        assignments.append(SplitAssignment(whole, unit, seed, (f"fold {place + 1} of {number}",)))
    return tuple(assignments)
