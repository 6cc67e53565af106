"""Intervals of figures that are no means over queries: what each would be without one set of clusters after another.

The jackknife that leaves out groups (Kott 2001, "The delete-a-group jackknife"). A figure of pairs depends on the threshold or the ranking
that all queries share, so it is computed anew each time, from a histogram of each set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.metrics.intervals import kish_size, left_out
from trainer.metrics.score_counts import ScoreCounts, ScoreHistogram

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from trainer.metrics.intervals import ClusteredMean
    from trainer.metrics.negatives import Mask
    from trainer.metrics.similarities import Block, Rows

#: Sets into which clusters are put; fewer clusters than that are left out one by one.
SETS = 50

#: Bins of these histograms: how far a figure moves without a set does not hang on the fourth decimal of a similarity.
WIDTH = 1e-4


class ClusterSets:
    """Histograms of right and wrong pairs of each set of clusters."""

    def __init__(self, clusters: npt.NDArray[np.int64]) -> None:
        """Of the cluster of each query (k,): they are dealt out from the largest on, there and back, so that sets are alike."""
        _, numbers, self.sizes = np.unique(clusters, return_inverse=True, return_counts=True)
        rounds, places = np.divmod(np.arange(len(self.sizes)), SETS)
        dealt = np.empty(len(self.sizes), dtype=np.int64)
        dealt[np.argsort(-self.sizes, kind="stable")] = np.where(rounds % 2 == 0, places, SETS - 1 - places)
        self.set_of_query = dealt[numbers]
        count = min(SETS, len(self.sizes))
        self.right = [ScoreHistogram(WIDTH) for _ in range(count)]
        self.wrong = [ScoreHistogram(WIDTH) for _ in range(count)]

    def add(self, queries: Rows, own: npt.NDArray[np.float64], block: Block, chosen: Mask) -> None:
        """Of these queries (n,) the similarities of right pairs (n,), and of wrong pairs where `chosen` (n, N)."""
        sets = self.set_of_query[queries]
        for number in np.unique(sets).tolist():
            theirs = sets == number
            self.right[number].add(own[theirs])
            self.wrong[number].add(block[theirs][chosen[theirs]])

    def spread(self, figure: Callable[[ScoreCounts], float]) -> ClusteredMean:
        """How well the clusters determine a figure of all pairs; its mean is that of the coarser histograms."""
        right, wrong = ScoreHistogram(WIDTH), ScoreHistogram(WIDTH)
        for whole, parts in ((right, self.right), (wrong, self.wrong)):
            for part in parts:
                whole.merge(part)
        counts = ScoreCounts.of(right, wrong)
        rests = [counts.without(*pair) for pair in zip(self.right, self.wrong, strict=True)]
        without = np.array([figure(rest) for rest in rests if rest.right.any() and rest.wrong.any()])
        return left_out(
            figure(counts), without if len(without) > 1 else np.zeros(0), clusters=len(self.sizes), effective_clusters=kish_size(self.sizes)
        )
