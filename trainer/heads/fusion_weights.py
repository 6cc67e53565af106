"""How much each part of a fused head counts: chosen on validation so that no figure is given up for another.

For every weighting of a grid, and for each level of repaints, there are several figures: the mean reciprocal rank of the own original,
the accuracy over all other originals as negatives, and the accuracy over the ten originals that each space, frozen, finds nearest. A
weighting's shortfall is how far its worst figure lies below what the best weighting reaches in that figure. The least shortfall wins
(minimax regret, Savage 1951), of equals the largest mean, and of still equal ones that in their middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from trainer.data.embeddings import unit_length
from trainer.heads.pair_ranks import ranks_of_own
from trainer.metrics.similarities import TIE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from trainer.heads.closed_form import FittingPairs

    Vectors = npt.NDArray[np.float32]
    Floats = npt.NDArray[np.float64]

#: Originals that count as the nearest negatives of an original.
NEAREST = 10

#: Originals by which the parts are weighed, at most; of more, so many evenly spaced ones.
MOST_WEIGHED = 1024

#: A simplex of more points than this takes a coarser step.
_MOST_POINTS = 300

_BLOCK = 256


@dataclass(frozen=True, kw_only=True)
class FusionWeights:
    """The weighting chosen, and the shortfall of its worst figure."""

    weights: tuple[float, ...]
    shortfall: float
    #: Mean over all figures.
    mean: float


def choose_fusion_weights(
    project: Sequence[Callable[[Vectors], Vectors]], columns: Sequence[slice], validation: FittingPairs
) -> FusionWeights:
    """Weights of the parts, which sum to 1. `project` gives a part's unit vectors from its columns of the pictures' vectors."""
    pairs = validation.at_most(MOST_WEIGHED)
    originals = [part(pairs.originals[:, of]) for part, of in zip(project, columns, strict=True)]
    repaints = [part(pairs.repaints[:, of]) for part, of in zip(project, columns, strict=True)]
    spaces = {(of.start, of.stop): of for of in columns}.values()
    nearest = [_nearest(pairs.originals[:, of], pairs.groups) for of in spaces]
    grid = simplex(len(project))
    figures = _figures(grid, originals, repaints, pairs, nearest)
    shortfalls = (figures.max(axis=0) - figures).max(axis=1)
    means = figures.mean(axis=1)
    order = np.lexsort((-means.round(9), shortfalls.round(9)))
    equal = order[(shortfalls[order].round(9) == shortfalls[order[0]].round(9)) & (means[order].round(9) == means[order[0]].round(9))]
    best = int(equal[_nearest_to_their_middle(np.array(grid)[equal])])
    return FusionWeights(weights=grid[best], shortfall=float(shortfalls[best]), mean=float(means[best]))


def simplex(parts: int) -> list[tuple[float, ...]]:
    """All weightings in steps of a tenth that sum to 1; in coarser steps where these would be too many, at worst the corners."""
    for steps in (10, 5, 4, 2, 1):
        bars = list(combinations(range(steps + parts - 1), parts - 1))
        if len(bars) <= _MOST_POINTS:
            break
    edges = np.array([(-1, *places, steps + parts - 1) for places in bars])
    return [tuple((point / steps).tolist()) for point in np.diff(edges, axis=1) - 1]


def _figures(
    grid: Sequence[tuple[float, ...]],
    originals: Sequence[Vectors],
    repaints: Sequence[Vectors],
    pairs: FittingPairs,
    nearest: Sequence[npt.NDArray[np.int64]],
) -> Floats:
    """(weightings, figures)."""
    count = len(pairs.original_of_repaint)
    each = np.zeros((len(grid), 2 + len(nearest), count))
    for start in range(0, count, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, count))
        anchors = pairs.original_of_repaint[rows]
        own = pairs.groups[anchors, None] == pairs.groups[None, :]
        from_repaints = [repaint[rows] @ original.T for repaint, original in zip(repaints, originals, strict=True)]
        from_anchors = [original[anchors] @ original.T for original in originals]
        for point, weights in enumerate(grid):
            found = _weighted(weights, from_repaints)
            positive = found[np.arange(len(rows)), anchors][:, None]
            right = _ranked_right(positive - _weighted(weights, from_anchors))
            each[point, 0, rows] = 1 / ranks_of_own(found, own)
            each[point, 1, rows] = np.where(own, 0, right).sum(axis=1) / np.maximum((~own).sum(axis=1), 1)
            for number, near in enumerate(nearest):
                each[point, 2 + number, rows] = np.take_along_axis(right, near[anchors], axis=1).mean(axis=1)
    levels = pairs.level_of_repaint
    return np.concatenate([each[:, :, levels == level].mean(axis=2) for level in np.unique(levels)], axis=1)


def _nearest_to_their_middle(points: Floats) -> int:
    return int(np.square(points - points.mean(axis=0)).sum(axis=1).round(9).argmin())


def _weighted(weights: Sequence[float], similarities: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    total = np.zeros_like(similarities[0])
    for weight, part in zip(weights, similarities, strict=True):
        if weight:
            total += np.float32(weight) * part
    return total


def _ranked_right(difference: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """1 where the positive is nearer, a half where it is a tie."""
    return (difference > TIE) + np.float32(0.5) * (np.abs(difference) <= TIE)


def _nearest(frozen: Vectors, groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(n, up to 10) the originals of other groups with the largest frozen cosine."""
    unit = unit_length(frozen)
    others = max(min(NEAREST, len(groups) - int(np.unique(groups, return_counts=True)[1].max())), 1)
    found = np.empty((len(groups), others), dtype=np.int64)
    for start in range(0, len(groups), _BLOCK):
        rows = slice(start, start + _BLOCK)
        cosines = np.where(groups[rows, None] == groups[None, :], -np.inf, unit[rows] @ unit.T)
        found[rows] = np.argsort(-cosines, axis=1, kind="stable")[:, :others]
    return found
