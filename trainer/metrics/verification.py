"""Verification: are two pictures an original and its repaint? All pairs under one threshold for all queries, unlike retrieval.

Right pairs are a repaint and its own original, wrong ones a repaint and an original of another group of copies. Ties count as what a coin
would make of them: between two thresholds ROC curves are straight lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.metrics.cluster_sets import ClusterSets
from trainer.metrics.intervals import clusters_of_repaints
from trainer.metrics.negatives import NegativeKind, NegativeMasks, NegativeSet
from trainer.metrics.score_counts import ScoreCounts, ScoreHistogram, bins_of
from trainer.metrics.similarities import row_blocks
from trainer.metrics.tied_ranks import harmonic

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.data.pair_table import PairTable
    from trainer.metrics.similarities import Rows, Similarities

    Floats = npt.NDArray[np.float64]

#: Share of wrong pairs that may pass in `tpr_at_fpr`.
FALSE_POSITIVES = 0.01


@dataclass(frozen=True, kw_only=True)
class VerificationScores:
    """What one pass over all pairs leaves."""

    counts: ScoreCounts
    #: (k,) the similarity of each repaint that was asked to its own original.
    own: Floats
    #: The same pairs by sets of clusters, for intervals.
    sets: ClusterSets


def verification_scores(
    similarities: Similarities, table: PairTable, negatives: NegativeSet | None = None, queries: Rows | None = None
) -> VerificationScores:
    """Every repaint with its own original and with every negative: M * (N - 1) pairs, of which only histograms are kept.

    Args:
        similarities: Of the scorer that is measured; repaints are the queries.
        table: Its rows.
        negatives: The kind of originals that make wrong pairs; all others by default.
        queries: Rows of the repaints that ask; all by default.

    Raises:
        ValueError: Negatives that are no originals or need a reference, or no pair of one kind.
    """
    negatives = negatives or NegativeSet(kind=NegativeKind.ANY)
    if negatives.kind is NegativeKind.GENERATED:
        raise ValueError("wrong pairs of verification are a repaint and an original: generated negatives make none")
    rows = np.arange(len(table.repaints)) if queries is None else queries
    owners = table.repaints.originals[rows]
    masks = NegativeMasks(table)
    right, wrong = ScoreHistogram(), ScoreHistogram()
    sets = ClusterSets(clusters_of_repaints(table)[rows])
    own: Floats = np.empty(len(rows))
    for asked in row_blocks(len(rows), len(table.originals)):
        block = similarities.repaints_to_originals(rows[asked])
        chosen = np.stack([masks.of(owner, negatives) for owner in owners[asked].tolist()])
        own[asked] = block[np.arange(len(asked)), owners[asked]]
        right.add(own[asked])
        wrong.add(block[chosen])
        sets.add(asked, own[asked], block, chosen)
    return VerificationScores(counts=ScoreCounts.of(right, wrong), own=own, sets=sets)


def pair_auc(counts: ScoreCounts) -> float:
    """Area under the ROC curve: the probability that a right pair is more alike than a wrong one, ties half (Hanley & McNeil 1982)."""
    return float(np.trapezoid(counts.true_positive_rates, counts.false_positive_rates))


def placements(scores: VerificationScores) -> Floats:
    """(k,) for each right pair the share of all wrong ones that are less alike, ties half; their mean is the AUC.

    They are the components of DeLong et al. 1988, for paired differences of scorers: the wrong pairs are taken as they are.
    """
    counts = scores.counts
    below = 1.0 - counts.false_positive_rates
    shares = (below[:-1] + below[1:]) / 2
    values: Floats = shares[_places(scores)]
    return values


def tpr_at_fpr(counts: ScoreCounts, false_positives: float = FALSE_POSITIVES) -> float:
    """Share of right pairs accepted by the threshold at which this share of the wrong ones is."""
    accepted = _accepted_at(counts, false_positives)
    return float((accepted * counts.right).sum() / counts.right.sum())


def accepted_at_fpr(scores: VerificationScores, false_positives: float = FALSE_POSITIVES) -> Floats:
    """(k,) whether each right pair is accepted by that threshold, a share for a tie with it; their mean is `tpr_at_fpr`."""
    values: Floats = _accepted_at(scores.counts, false_positives)[_places(scores)]
    return values


def equal_error_rate(counts: ScoreCounts) -> float:
    """The error where the share of wrong pairs that are accepted equals that of right pairs that are refused."""
    accepted, refused = counts.false_positive_rates, 1.0 - counts.true_positive_rates
    after = int(np.argmax(accepted >= refused))
    before = after - 1
    gap = refused[before] - accepted[before]
    step = gap / (gap + accepted[after] - refused[after])
    return float(accepted[before] + step * (accepted[after] - accepted[before]))


def best_f1_threshold(counts: ScoreCounts, share: float = 0.5) -> float:
    """The similarity from which on a pair is accepted so that F1 is largest; to be chosen on validation pairs. `share` as in `f1`."""
    best = int(np.argmax(_f1(counts.true_positive_rates[1:], counts.false_positive_rates[1:], share)))
    return float(counts.bins[best] * counts.width)


def f1(counts: ScoreCounts, threshold: float, share: float = 0.5) -> float:
    """F1 = 2 P R / (P + R) of the pairs at or above the threshold, were this `share` of all pairs right.

    F1 = 2 s TPR / (s TPR + (1 - s) FPR + s). With the share as counted (one in N) it would tell the size of the gallery.
    """
    taken = int(np.count_nonzero(counts.bins >= round(threshold / counts.width)))
    return float(_f1(counts.true_positive_rates[taken], counts.false_positive_rates[taken], share))


def micro_average_precision(counts: ScoreCounts) -> float:
    """Average precision of all pairs of all queries in one ranking (Douze et al. 2021, DISC21, section 4.1).

        uAP = sum over i of p(i) * (r(i) - r(i - 1))

    Within a bin the order is random, as in `tied_ranks.TiedRun.precision`.
    """
    holds = counts.right > 0
    m = counts.right[holds].astype(np.float64)
    n = m + counts.wrong[holds]
    c = (np.cumsum(counts.right) - counts.right)[holds]
    b = (np.cumsum(counts.right + counts.wrong) - counts.right - counts.wrong)[holds]
    q = (m - 1) / np.maximum(n - 1, 1)
    precisions = m / n * (q * n + (c + 1 - q * (b + 1)) * (harmonic(b + n) - harmonic(b)))
    return float(precisions.sum() / counts.right.sum())


def _f1(true_positives: Floats, false_positives: Floats, share: float) -> Floats:
    values: Floats = 2 * share * true_positives / (share * true_positives + (1 - share) * false_positives + share)
    return values


def _accepted_at(counts: ScoreCounts, false_positives: float) -> Floats:
    """(bins,) the share of each bin that is accepted: 1 above the threshold, 0 below it, in its bin what makes the rate exact."""
    before, after = counts.false_positive_rates[:-1], counts.false_positive_rates[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(after > before, (false_positives - before) / (after - before), np.where(before <= false_positives, 1.0, 0.0))
    accepted: Floats = np.clip(shares, 0.0, 1.0)
    return accepted


def _places(scores: VerificationScores) -> npt.NDArray[np.int64]:
    """(k,) the bin of each right pair, as a place in `counts`."""
    ascending = scores.counts.bins[::-1]
    return len(ascending) - 1 - np.searchsorted(ascending, bins_of(scores.own))
