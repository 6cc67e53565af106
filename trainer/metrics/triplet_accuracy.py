"""Triplet accuracy over all negatives of a kind: how often an original finds its repaint more alike than a negative. None is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.metrics.negatives import COLUMNS, NegativeKind, NegativeMasks, NegativeSet
from trainer.metrics.own_pairs import own_pairs
from trainer.metrics.similarities import TIE, row_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from trainer.data.pair_table import PairTable
    from trainer.metrics.negatives import Mask
    from trainer.metrics.similarities import Block, Similarities


@dataclass(frozen=True, kw_only=True)
class TripletAccuracy:
    """Of one kind of negatives, one entry a repaint: `accuracies` NaN and `negatives` 0 where there is no negative of the kind."""

    column: NegativeSet
    #: (M,) the share of the negatives that are less like the original than the repaint is.
    accuracies: npt.NDArray[np.float64]
    #: (M,) how many negatives it was compared with.
    negatives: npt.NDArray[np.int64]

    @property
    def without_negatives(self) -> int:
        """Repaints that could not be compared."""
        return int((self.negatives == 0).sum())


def triplet_accuracy(
    similarities: Similarities, table: PairTable, columns: Sequence[NegativeSet] = COLUMNS, reference: Similarities | None = None
) -> list[TripletAccuracy]:
    """For every repaint p of an original a, and every kind: the share of all its negatives n with s(a, p) > s(a, n), a tie as half.

        accuracy(p) = 1/|N(a)| * sum over n in N(a) of [s(a, p) > s(a, n)] + [s(a, p) = s(a, n)] / 2

    It is the expectation of the accuracy on drawn triplets (Schroff et al. 2015, FaceNet, for the triplet), and so without the variance of
    a draw. The original is always the query, so that views of it count for repaint and negative alike.

    Args:
        similarities: Of the scorer that is measured.
        table: Originals and repaints in the rows of `similarities`.
        columns: The kinds of negatives.
        reference: What `NegativeKind.NEAREST` is nearest by, the same for every scorer that is compared: usually the frozen backbone.

    Returns:
        One result a column, in their order.

    Raises:
        ValueError: `NegativeKind.NEAREST` without a reference.
    """
    positives: list[float] = own_pairs(similarities, table).tolist()
    levels: list[str] = table.repaints.levels.tolist()
    masks = NegativeMasks(table)
    of_level = _repaints_by_level(table)
    repaints_of = _repaints_by_original(table)
    below = np.zeros((len(columns), len(positives)))
    compared = np.zeros((len(columns), len(positives)), dtype=np.int64)
    generated = any(column.kind is NegativeKind.GENERATED for column in columns)
    for rows in row_blocks(len(table.originals), max(len(table.originals), len(positives) if generated else 0)):
        originals = similarities.originals_to_originals(rows)
        made = similarities.originals_to_repaints(rows) if generated else originals
        nearness = originals if reference is None else reference.originals_to_originals(rows)
        for place, row in enumerate(rows.tolist()):
            for number, column in enumerate(columns):
                mask = masks.of(row, column, None if reference is None else nearness[place])
                if column.kind is NegativeKind.GENERATED:
                    mask = mask[table.repaints.originals]
                for repaint in repaints_of[row]:
                    if column.kind is NegativeKind.GENERATED:
                        found = _count_below(made[place], mask & of_level[levels[repaint]], positives[repaint])
                    else:
                        found = _count_below(originals[place], mask, positives[repaint])
                    below[number, repaint], compared[number, repaint] = found
    with np.errstate(invalid="ignore"):
        shares = below / compared
    return [TripletAccuracy(column=column, accuracies=shares[number], negatives=compared[number]) for number, column in enumerate(columns)]


def _count_below(row: Block, mask: Mask, positive: float) -> tuple[float, int]:
    """How many of the masked similarities are below the positive's, ties half, and how many there are.

    Counting bits of masks costs a tenth of what picking the values out costs.
    """
    surely = int(np.count_nonzero((row < positive - TIE) & mask))
    perhaps = int(np.count_nonzero((row <= positive + TIE) & mask))
    return (surely + perhaps) / 2, int(np.count_nonzero(mask))


def _repaints_by_original(table: PairTable) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(len(table.originals))]
    for repaint, owner in enumerate(table.repaints.originals.tolist()):
        found[owner].append(repaint)
    return found


def _repaints_by_level(table: PairTable) -> dict[str, Mask]:
    return {level: table.repaints.levels == level for level in table.levels}
