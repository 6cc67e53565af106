"""Graded sameness: is a repaint more alike than another work of its artist, that than one of its style, and that than any other?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.metrics.negatives import NegativeMasks
from trainer.metrics.own_pairs import own_pairs
from trainer.metrics.similarities import TIE, row_blocks

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.data.pair_table import PairTable
    from trainer.metrics.similarities import Similarities

    Floats = npt.NDArray[np.float64]

#: From the most alike to the least.
GRADES = ("repaint", "same artist", "same style", "other")


@dataclass(frozen=True, kw_only=True)
class GradedSameness:
    """One row a repaint, so that a level is a choice of rows; NaN where its original has no other work of the grade."""

    #: (M, 4) mean similarity of the original to the repaint, to its artist's other works, to works of its style by others, and to all the
    #: rest.
    similarities: Floats

    @property
    def gaps(self) -> Floats:
        """(M, 3) how much more alike each grade is than the next: negative where the order is wrong."""
        return self.similarities[:, :-1] - self.similarities[:, 1:]

    @property
    def in_order(self) -> Floats:
        """(M,) 1 if all four grades are in the right order, 0 if not, half for each tie of neighbours; NaN if a grade is missing."""
        gaps = self.gaps
        right = np.where(np.abs(gaps) <= TIE, 0.5, (gaps > 0).astype(np.float64)).prod(axis=1)
        ordered: Floats = np.where(np.isnan(gaps).any(axis=1), np.nan, right)
        return ordered


def graded_sameness(similarities: Similarities, table: PairTable) -> GradedSameness:
    """Mean similarities of every original by grade, over all its pairs of a grade.

    A work of the artist counts as that whatever its style; a work of unknown artist as one by another; a work of unknown style in no grade
    but the artist's. Copies count nowhere.
    """
    masks = NegativeMasks(table)
    means: Floats = np.full((len(table.originals), len(GRADES) - 1), np.nan)
    for rows in row_blocks(len(table.originals), len(table.originals)):
        block = similarities.originals_to_originals(rows)
        for place, row in enumerate(rows.tolist()):
            foreign = table.originals.groups != table.originals.groups[row]
            artist = masks.same_artist(row)
            for grade, mask in enumerate((artist, masks.same_style(row) & ~artist, masks.other_style(row) & ~artist)):
                chosen = block[place, mask & foreign]
                if len(chosen):
                    means[row, grade] = chosen.mean(dtype=np.float64)
    own = own_pairs(similarities, table).astype(np.float64)
    return GradedSameness(similarities=np.column_stack([own, means[table.repaints.originals]]))
