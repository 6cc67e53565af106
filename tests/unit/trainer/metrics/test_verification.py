"""Verification figures from histograms equal those from all pairs at once, by loops and by scikit-learn."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score, roc_curve

from tests.unit.trainer.metrics.random_tables import MatrixSimilarities, a_table, exact, tables_with_similarities
from trainer.metrics.cluster_sets import SETS, ClusterSets
from trainer.metrics.negatives import NegativeKind, NegativeSet
from trainer.metrics.score_counts import ScoreCounts, ScoreHistogram
from trainer.metrics.verification import (
    accepted_at_fpr,
    best_f1_threshold,
    equal_error_rate,
    f1,
    micro_average_precision,
    pair_auc,
    placements,
    tpr_at_fpr,
    verification_scores,
)
from trainer.metrics.verification_figures import verification_figures

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.data.pair_table import PairTable


def drawn(seed: int, right: int = 40, wrong: int = 900) -> tuple[ScoreCounts, npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Pairs without ties: their counts, their labels and their scores."""
    rng = np.random.default_rng(seed)
    scores = np.arange(1, right + wrong + 1) / (right + wrong)
    labels = np.zeros(right + wrong, dtype=np.bool_)
    labels[rng.choice(right + wrong, size=right, replace=False, p=scores**2 / (scores**2).sum())] = True
    return ScoreCounts.of_scores(scores[labels], scores[~labels]), labels, scores


@settings(deadline=None)
@given(tables_with_similarities(), st.sampled_from([NegativeKind.ANY, NegativeKind.OTHER_STYLE, NegativeKind.SAME_ARTIST]))
def test_all_pairs_are_counted_and_ties_are_coins(case: tuple[PairTable, MatrixSimilarities], kind: NegativeKind) -> None:
    table, similarities = case
    mo, owners, one = exact(similarities.mo), table.repaints.originals, table.originals
    wrong = [
        mo[repaint, other]
        for repaint, owner in enumerate(owners)
        for other in range(len(one))
        if one.groups[other] != one.groups[owner]
        and (kind is not NegativeKind.SAME_ARTIST or one.artists[other] == one.artists[owner] != -1)
        and (
            kind is not NegativeKind.OTHER_STYLE or (one.styles[other] and one.styles[owner] and not one.styles[other] & one.styles[owner])
        )
    ]
    own = mo[np.arange(len(owners)), owners]
    negatives = NegativeSet(kind=kind)
    if not wrong:
        with pytest.raises(ValueError, match="no wrong ones"):
            verification_scores(similarities, table, negatives)
        return

    found = verification_scores(similarities, table, negatives)

    assert (found.counts.right.sum(), found.counts.wrong.sum()) == (len(own), len(wrong))
    beaten = [np.mean([1.0 if one > other else 0.5 if one == other else 0.0 for other in wrong]) for one in own]
    np.testing.assert_allclose(placements(found), beaten)
    assert pair_auc(found.counts) == pytest.approx(np.mean(beaten))
    assert pair_auc(found.counts) == pytest.approx(roc_auc_score([1] * len(own) + [0] * len(wrong), [*own, *wrong]))
    assert accepted_at_fpr(found, 0.3).mean() == pytest.approx(tpr_at_fpr(found.counts, 0.3))


@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_scikit_learn(seed: int) -> None:
    counts, labels, scores = drawn(seed)
    rng = np.random.default_rng(seed)
    accepted, found, thresholds = roc_curve(labels, scores, drop_intermediate=False)

    assert pair_auc(counts) == pytest.approx(roc_auc_score(labels, scores))
    assert micro_average_precision(counts) == pytest.approx(average_precision_score(labels, scores))
    assert tpr_at_fpr(counts, 0.01) == pytest.approx(found[accepted <= 0.01].max())
    crossing = brentq(lambda error: 1 - error - np.interp(error, accepted, found), 0, 1)
    assert equal_error_rate(counts) == pytest.approx(crossing, abs=1e-6)
    balanced = np.where(labels, 1 / 40, 1 / 900)
    threshold = best_f1_threshold(counts)
    best = f1_score(labels, scores >= threshold - 1e-6, sample_weight=balanced)
    assert f1(counts, threshold) == pytest.approx(best)
    assert all(f1_score(labels, scores >= one, sample_weight=balanced) <= best for one in rng.choice(thresholds, size=20))
    assert f1(counts, 0.8, share=40 / 940) == pytest.approx(f1_score(labels, scores >= 0.8))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=2, max_size=7))
def test_micro_average_precision_is_the_mean_over_every_order_of_ties(pairs: list[tuple[int, bool]]) -> None:
    scores, labels = np.array([score / 4 for score, _ in pairs]), np.array([label for _, label in pairs])
    if labels.all() or not labels.any():
        return
    values = []
    for order in permutations(range(len(pairs))):
        if all(scores[one] >= scores[other] for one, other in pairwise(order)):
            right = labels[list(order)]
            values.append((np.cumsum(right) / np.arange(1, len(right) + 1))[right].mean())

    assert micro_average_precision(ScoreCounts.of_scores(scores[labels], scores[~labels])) == pytest.approx(np.mean(values))


def test_a_model_that_maps_everything_to_one_point_scores_as_a_coin() -> None:
    counts = ScoreCounts.of_scores(np.ones(10), np.ones(90))

    assert (pair_auc(counts), equal_error_rate(counts)) == (0.5, 0.5)
    assert tpr_at_fpr(counts, 0.01) == pytest.approx(0.01)
    # The chance of a right pair at any rank is 0.1, and of one at the first ranks alone it is counted whole.
    assert micro_average_precision(counts) == pytest.approx(0.1, abs=0.05)


def test_perfect_pairs_have_no_error() -> None:
    counts = ScoreCounts.of_scores(np.array([0.8, 0.9]), np.array([0.1, 0.2, 0.3]))

    assert (pair_auc(counts), equal_error_rate(counts), tpr_at_fpr(counts), micro_average_precision(counts)) == (1, 0, 1, 1)
    assert f1(counts, best_f1_threshold(counts)) == 1


def test_a_histogram_grows_to_whatever_range_comes() -> None:
    histogram = ScoreHistogram()
    for scores in ([0.25, 0.25], [-3.0], [], [4.5, 0.0], [-0.5]):
        histogram.add(np.array(scores, dtype=np.float32))

    bins, counts = histogram.counted()

    assert (bins * 1e-6).tolist() == pytest.approx([-3.0, -0.5, 0.0, 0.25, 4.5])
    assert counts.tolist() == [1, 1, 1, 2, 1]


def test_generated_negatives_make_no_pairs() -> None:
    flat = MatrixSimilarities(*(np.ones((2, 2), dtype=np.float32) for _ in range(4)))

    with pytest.raises(ValueError, match="generated"):
        verification_scores(flat, a_table([0, 1], [0, 1]), NegativeSet(kind=NegativeKind.GENERATED))


def test_figures_have_the_spread_of_leaving_out_each_artist() -> None:
    rng = np.random.default_rng(9)
    artists = rng.integers(-1, 3, size=30)
    owners = rng.integers(0, 30, size=70)
    table = a_table(range(30), owners.tolist(), artists=artists.tolist())
    # Similarities that the coarser histograms of the sets hold exactly.
    mo = (np.round(rng.uniform(0, 1, size=(70, 30)), 3) + 0.25 * (np.arange(30) == owners[:, None])).astype(np.float32)
    scores = verification_scores(MatrixSimilarities(mo[:30], mo.T, mo, mo @ mo.T), table)
    clusters = np.where(artists < 0, 100 + np.arange(30), artists)[owners]
    own, wrong = np.arange(30) == owners[:, None], np.arange(30) != owners[:, None]

    figures = {figure.name: figure for figure in verification_figures(scores, f1_threshold=0.9)}

    without = [mo[clusters != left] for left in np.unique(clusters)]
    chosen = [(own[clusters != left], wrong[clusters != left]) for left in np.unique(clusters)]
    left_out_aucs = [
        roc_auc_score([1] * right.sum() + [0] * other.sum(), [*np.round(some[right], 3), *np.round(some[other], 3)])
        for some, (right, other) in zip(without, chosen, strict=True)
    ]
    auc = figures["pair AUC"].value
    variance = (len(without) - 1) / len(without) * ((np.array(left_out_aucs) - auc) ** 2).sum()
    assert scores.sets.spread(pair_auc).variance == pytest.approx(variance, rel=1e-6)
    assert list(figures) == ["pair AUC", "TPR at 1 % FPR", "equal error rate", "uAP", "F1"]
    assert figures["equal error rate"].direction == "lower"
    for figure in figures.values():
        assert figure.low is not None
        assert figure.high is not None
        assert 0 <= figure.low < figure.value < figure.high <= 1
        assert (figure.clusters, figure.count) == (len(without), 70)


def test_more_clusters_than_sets_are_dealt_out_evenly() -> None:
    sets = ClusterSets(np.repeat(np.arange(120), np.arange(1, 121)))

    counts = np.bincount(sets.set_of_query)

    assert len(counts) == SETS
    assert counts.max() < 1.5 * counts.min()
