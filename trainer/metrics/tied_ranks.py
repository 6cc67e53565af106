"""What a ranking is worth when equal scores are put in random order: expectations in closed form, without drawing an order.

McSherry & Najork 2008, "Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores", ECIR. A ranking
is a list of tied runs; each holds some right and some wrong items, and every order within a run is as likely as any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class TiedRun:
    """Items of one score, of which some are right; runs of wrong items alone only show in the numbers before the next."""

    #: Items ranked before the run, and the right ones among them.
    before: int
    right_before: int
    #: Items of the run that are right, at least one, and wrong.
    right: int
    wrong: int

    @property
    def size(self) -> int:
        """Items of the run."""
        return self.right + self.wrong

    def precision(self, last: float = inf) -> float:
        """Expected sum of the precision at each right item of the run whose rank is at most `last`.

        At place x of the run an item is right with probability m/n, and then (x - 1)(m - 1)/(n - 1) of those before it in the run are right
        too:

            sum over x of m/n * (c + 1 + (x - 1) q) / (b + x),  q = (m - 1)/(n - 1)
            = m/n * (q X + (c + 1 - q (b + 1)) (H(b + X) - H(b)))

        with n items of which m are right, b before the run of which c are right, and X = min(n, last - b).
        """
        within = min(self.size, last - self.before)
        if within <= 0:
            return 0.0
        q = (self.right - 1) / (self.size - 1) if self.size > 1 else 0.0
        reciprocals = float(harmonic(self.before + within) - harmonic(self.before))
        return self.right / self.size * (q * within + (self.right_before + 1 - q * (self.before + 1)) * reciprocals)


def average_precision(runs: Sequence[TiedRun]) -> float:
    """Expected AP = 1/R * sum over the R right items of the precision at their ranks."""
    return sum(run.precision() for run in runs) / sum(run.right for run in runs)


def map_at_r(runs: Sequence[TiedRun]) -> float:
    """Expected MAP@R = 1/R * sum over right items among the first R of the precision at their ranks (Musgrave et al. 2020, section 3.2)."""
    total = sum(run.right for run in runs)
    return sum(run.precision(total) for run in runs) / total


def recall_at(k: int, first: TiedRun) -> float:
    """Probability that a right item is among the first k, from the first run that holds one.

    1 - C(w, j)/C(n, j) with j = k - b places left for a run of n items of which w are wrong: none of the j is right.
    """
    places = min(k - first.before, first.size)
    return 1.0 - prod((first.wrong - x) / (first.size - x) for x in range(places)) if places > 0 else 0.0


def reciprocal_rank(first: TiedRun) -> float:
    """Expected 1/rank of the first right item, from the first run that holds one.

    The first of m right items among n stands at place x with probability C(n - x, m - 1)/C(n, m).
    """
    if first.right == 1:
        return float(harmonic(first.before + first.size) - harmonic(first.before)) / first.size
    x = np.arange(1, first.wrong + 2)
    # P(x + 1)/P(x) = (n - x - m + 1)/(n - x), and P(1) = m/n.
    ratios = (first.size - x[:-1] - first.right + 1) / (first.size - x[:-1])
    probabilities = first.right / first.size * np.cumprod(np.concatenate([[1.0], ratios]))
    return float((probabilities / (first.before + x)).sum())


def harmonic(count: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """H(n) = 1 + 1/2 + ... + 1/n, of one number or many."""
    from scipy.special import digamma

    numbers: npt.NDArray[np.float64] = digamma(np.asarray(count, dtype=np.float64) + 1) + np.euler_gamma
    return numbers
