"""The rank of a repaint's own original among all originals, by blocks: what closed forms choose their shrinkage and dimension by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.metrics.similarities import BLOCK, TIE

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.heads.closed_form import FittingPairs

    Vectors = npt.NDArray[np.float32]
    Floats = npt.NDArray[np.float64]


def mean_reciprocal_rank(originals: Vectors, repaints: Vectors, pairs: FittingPairs) -> float:
    """The mean over the levels of the mean of 1/rank (Voorhees, TREC-8, 1999), for unit vectors of the originals and repaints of `pairs`.

    The rank is that of the nearest original of the repaint's own group among those of all other groups; a tie counts half.
    """
    ranks = np.empty(len(repaints))
    for start in range(0, len(repaints), BLOCK):
        rows = slice(start, start + BLOCK)
        own = pairs.groups[pairs.original_of_repaint[rows], None] == pairs.groups[None, :]
        ranks[rows] = ranks_of_own(repaints[rows] @ originals.T, own)
    levels = pairs.level_of_repaint
    return float(np.mean([(1 / ranks[levels == level]).mean() for level in np.unique(levels)]))


def ranks_of_own(similarities: npt.NDArray[np.floating], own: npt.NDArray[np.bool_]) -> Floats:
    """(b,) for each row the rank of its largest similarity where `own` is true, among those where it is false."""
    best = np.where(own, similarities, -np.inf).max(axis=1, keepdims=True)
    above = (~own & (similarities > best + TIE)).sum(axis=1)
    level = (~own & (np.abs(similarities - best) <= TIE)).sum(axis=1)
    ranks: Floats = 1 + above + level / 2
    return ranks
