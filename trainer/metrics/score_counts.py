"""How many right and wrong pairs have which similarity: all that ROC and precision-recall figures need, without the pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.metrics.similarities import TIE

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]


class ScoreHistogram:
    """A histogram with a bin for every difference that counts: similarities in one bin are ties."""

    def __init__(self, width: float = TIE) -> None:
        self.width = width
        self._first = 0
        self._counts: Numbers = np.zeros(0, dtype=np.int64)

    def add(self, scores: npt.NDArray[np.floating]) -> None:
        """Count these, of any shape."""
        if not scores.size:
            return
        bins = bins_of(scores.ravel(), self.width)
        first = int(bins.min())
        bins -= first
        self._add(first, np.bincount(bins))

    def merge(self, other: ScoreHistogram) -> None:
        """Count what another of the same width counted."""
        bins, _ = other.counted()
        if len(bins):
            start = int(bins[0]) - other._first
            self._add(int(bins[0]), other._counts[start : int(bins[-1]) - other._first + 1])

    def counted(self) -> tuple[Numbers, Numbers]:
        """(k,) the bins in which something is, ascending, and (k,) how much."""
        filled = np.flatnonzero(self._counts)
        return filled + self._first, self._counts[filled]

    def _add(self, first: int, counts: Numbers) -> None:
        self._cover(first, first + len(counts) - 1)
        start = first - self._first
        self._counts[start : start + len(counts)] += counts

    def _cover(self, first: int, last: int) -> None:
        """Widen the range by half as much again as needed, so that it is widened seldom."""
        known = len(self._counts)
        if known and first >= self._first and last < self._first + known:
            return
        lowest = min(first, self._first) if known else first
        highest = max(last, self._first + known - 1) if known else last
        spare = (highest - lowest) // 4 + 1
        wider: Numbers = np.zeros(highest - lowest + 1 + 2 * spare, dtype=np.int64)
        start = self._first - lowest + spare if known else 0
        wider[start : start + known] = self._counts
        self._first, self._counts = lowest - spare, wider


@dataclass(frozen=True, kw_only=True)
class ScoreCounts:
    """Pairs by similarity, from the most alike to the least: of each bin how many right pairs and how many wrong ones it holds."""

    #: (k,) descending; a bin's similarity is its number times the width.
    bins: Numbers
    #: (k,) pairs that belong together, and pairs that do not.
    right: Numbers
    wrong: Numbers
    width: float = TIE

    @classmethod
    def of(cls, right: ScoreHistogram, wrong: ScoreHistogram) -> ScoreCounts:
        """Those of two histograms.

        Raises:
            ValueError: One of them is empty: without right and wrong pairs there is nothing to tell apart.
        """
        (right_bins, right_counts), (wrong_bins, wrong_counts) = right.counted(), wrong.counted()
        if not len(right_bins) or not len(wrong_bins):
            raise ValueError(f"verification needs pairs of both kinds, and there are no {'right' if not len(right_bins) else 'wrong'} ones")
        bins = np.union1d(right_bins, wrong_bins)[::-1]
        ascending = bins[::-1]
        placed = [np.zeros(len(bins), dtype=np.int64) for _ in range(2)]
        placed[0][np.searchsorted(ascending, right_bins)] = right_counts
        placed[1][np.searchsorted(ascending, wrong_bins)] = wrong_counts
        return cls(bins=bins, right=placed[0][::-1], wrong=placed[1][::-1], width=right.width)

    @classmethod
    def of_scores(cls, right: npt.NDArray[np.floating], wrong: npt.NDArray[np.floating]) -> ScoreCounts:
        """Those of two arrays of similarities."""
        histograms = ScoreHistogram(), ScoreHistogram()
        for histogram, scores in zip(histograms, (right, wrong), strict=True):
            histogram.add(scores)
        return cls.of(*histograms)

    def without(self, right: ScoreHistogram, wrong: ScoreHistogram) -> ScoreCounts:
        """What is left when these, of the same width, are taken away."""
        ascending = self.bins[::-1]
        left = []
        for counts, taken in ((self.right, right), (self.wrong, wrong)):
            bins, taken_counts = taken.counted()
            rest = counts[::-1].copy()
            rest[np.searchsorted(ascending, bins)] -= taken_counts
            left.append(rest[::-1])
        return ScoreCounts(bins=self.bins, right=left[0], wrong=left[1], width=self.width)

    @property
    def true_positive_rates(self) -> Floats:
        """(k + 1,) share of the right pairs accepted when the first 0, 1, ... k bins are."""
        return np.concatenate([[0.0], np.cumsum(self.right) / self.right.sum()])

    @property
    def false_positive_rates(self) -> Floats:
        """(k + 1,) share of the wrong pairs accepted when the first 0, 1, ... k bins are."""
        return np.concatenate([[0.0], np.cumsum(self.wrong) / self.wrong.sum()])


def bins_of(scores: npt.NDArray[np.floating], width: float = TIE) -> Numbers:
    """The bin of each similarity: its number times the width is the middle."""
    steps = scores.astype(np.float64)
    steps /= width
    bins: Numbers = np.rint(steps, out=steps).astype(np.int64)
    return bins
