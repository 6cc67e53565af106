"""Intervals cover what they say: in simulation, and where another library knows the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import binomtest, norm, ttest_rel

from tests.unit.trainer.metrics.random_tables import a_table
from trainer.metrics.figure import Direction, mean_figure, share_figure
from trainer.metrics.intervals import (
    clustered_mean,
    clusters_of_originals,
    clusters_of_repaints,
    mean_interval,
    paired_difference,
    share_interval,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Numbers = npt.NDArray[np.int64]

#: Simulated samples by the number of clusters: fewest clusters, most samples, as these are quick and nearest to the limits.
REPEATS = {10: 1200, 19: 800, 29: 600, 100: 300}


def of_unequal_sizes(rng: np.random.Generator, count: int) -> Numbers:
    """The cluster of each query: one to some sixty queries each, many small and few large ones."""
    sizes = np.clip(np.rint(rng.lognormal(2.0, 1.0, size=count)), 1, 60).astype(np.int64)
    return np.repeat(np.arange(count), sizes)


def shares(rng: np.random.Generator, clusters: Numbers, true: float, *, found_or_not: bool) -> Floats:
    """Values in [0, 1] of mean `true` in the population; a tenth of a 0/1 value's variance is between clusters."""
    own: Floats = rng.beta(10 * true, 10 * (1 - true), size=clusters.max() + 1)[clusters]
    # Not 0 or 1: accuracies over many negatives, mostly near 1, seldom far below.
    drawn: Floats = (
        (rng.random(len(clusters)) < own).astype(np.float64)
        if found_or_not
        else rng.beta(np.maximum(2 * own, 1e-3), np.maximum(2 * (1 - own), 1e-3))
    )
    return drawn


@pytest.mark.parametrize("found_or_not", [True, False], ids=["0/1", "between"])
@pytest.mark.parametrize("true", [0.5, 0.9, 0.975])
@pytest.mark.parametrize("count", REPEATS)
def test_intervals_of_shares_cover(count: int, true: float, found_or_not: bool) -> None:
    rng = np.random.default_rng([count, int(1000 * true), found_or_not])
    covered = 0
    for _ in range(REPEATS[count]):
        clusters = of_unequal_sizes(rng, count)
        low, high = share_interval(clustered_mean(shares(rng, clusters, true, found_or_not=found_or_not), clusters))
        covered += low <= true <= high

    # Where most samples are all right, few clusters can not but cover more.
    highest = 0.99 if true > 0.95 and count < 20 else 0.98
    assert 0.92 <= covered / REPEATS[count] <= highest


@pytest.mark.parametrize("true", [(0.5, 0.55), (0.9, 0.9), (0.85, 0.42), (0.9, 0.975)])
@pytest.mark.parametrize("count", REPEATS)
def test_intervals_of_paired_differences_cover(count: int, true: tuple[float, float]) -> None:
    """Two scorers that find the same queries hard, and the same artists."""
    rng = np.random.default_rng([count, int(1000 * true[1])])
    artist, scorer, query, rest = 0.5, 0.2, 0.8, 0.6
    total = np.sqrt(artist**2 + scorer**2 + query**2 + rest**2)
    covered = 0
    for _ in range(REPEATS[count]):
        clusters = of_unequal_sizes(rng, count)
        common = rng.normal(0, artist, count)[clusters] + rng.normal(0, query, len(clusters))
        one, other = (
            (norm.ppf(p) * total + common + rng.normal(0, scorer, count)[clusters] + rng.normal(0, rest, len(clusters)) > 0).astype(float)
            for p in true
        )
        found = paired_difference(one, other, clusters)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= true[0] - true[1] <= found.high

    assert 0.92 <= covered / REPEATS[count] <= 0.98


@pytest.mark.parametrize("right", [0, 1, 7, 19, 20, 24])
def test_single_queries_get_the_interval_of_a_proportion(right: int) -> None:
    values = np.repeat([1.0, 0.0], [right, 24 - right])

    low, high = share_interval(clustered_mean(values, np.arange(24)))

    exact = right in {0, 24}
    peer = binomtest(right, 24).proportion_ci(method="exact" if exact else "wilson")
    assert (low, high) == pytest.approx((peer.low, peer.high), abs=1e-9)


def test_the_paired_difference_is_the_paired_t_test_for_single_queries() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.random(40), rng.random(40) * 0.9

    found = paired_difference(one, other, np.arange(40))

    peer = ttest_rel(one, other)
    interval = peer.confidence_interval(0.95)
    assert (found.mean, found.low, found.high) == pytest.approx(((one - other).mean(), interval.low, interval.high))
    assert found.p == pytest.approx(peer.pvalue)


def test_queries_of_one_cluster_do_not_make_it_surer() -> None:
    rng = np.random.default_rng(1)
    values = (rng.random(25) < 0.7).astype(np.float64)
    clusters = np.arange(25)

    once = share_interval(clustered_mean(values, clusters))
    often = share_interval(clustered_mean(np.repeat(values, 40), np.repeat(clusters, 40)))

    assert often == pytest.approx(once)


def test_one_artist_with_nearly_all_works_counts_for_little_more_than_one() -> None:
    clusters = np.concatenate([np.zeros(500, dtype=np.int64), np.arange(1, 11)])
    values = np.ones(510)

    assert clustered_mean(values, clusters).effective_clusters < 1.1
    assert share_interval(clustered_mean(values, clusters))[0] < 0.1


def test_all_right_on_ten_clusters_is_not_certain() -> None:
    figure = share_figure("R@1", np.ones(100), np.repeat(np.arange(10), 10))

    assert (figure.value, figure.high, figure.too_few) == (1.0, 1.0, True)
    assert figure.low == pytest.approx(0.6915, abs=1e-4)


def test_equal_scorers_may_differ_where_nobody_looked() -> None:
    found = paired_difference(np.ones(60), np.ones(60), np.arange(60) % 30)

    assert (found.mean, found.p, found.too_few) == (0.0, 1.0, False)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 30))
    assert found.low == pytest.approx(-(1 - 0.025 ** (1 / 30)))


def test_one_cluster_has_no_interval_of_a_mean_and_a_wide_one_of_a_share() -> None:
    alone = clustered_mean(np.array([0.4, 0.6]), np.zeros(2, dtype=np.int64))

    assert mean_interval(alone) is None
    assert share_interval(alone) == pytest.approx((0.055, 0.945), abs=1e-3)
    assert paired_difference(np.array([1.0]), np.array([0.5]), np.zeros(1, dtype=np.int64)).p is None


def test_values_that_do_not_differ_have_their_own_interval() -> None:
    """What a scorer that maps everything to one point scores, summed in another order for each cluster left out."""
    of = clustered_mean(np.full(300, 0.1), np.arange(300) % 7)

    assert of.variance == 0
    assert mean_interval(of) == pytest.approx((0.1, 0.1))


def test_unanswered_queries_are_counted_and_left_out() -> None:
    values = np.array([0.2, np.nan, 0.4, np.nan])

    figure = mean_figure("margin", values, np.array([0, 1, 2, 2]), Direction.LOWER)
    nothing = share_figure("R@1", np.full(3, np.nan), np.arange(3))

    assert figure.value == pytest.approx(0.3)
    assert (figure.count, figure.missing, figure.clusters, figure.direction.value) == (2, 2, 2, "lower")
    assert (np.isnan(nothing.value), nothing.low, nothing.count, nothing.missing, nothing.too_few) == (True, None, 0, 3, True)
    assert paired_difference(values, np.array([0.1, 0.5, np.nan, np.nan]), np.arange(4)).count == 1
    with pytest.raises(ValueError, match="no values"):
        paired_difference(values, np.full(4, np.nan), np.arange(4))


def test_clusters_are_artists_and_groups_where_the_artist_is_unknown() -> None:
    table = a_table([0, 1, 1, 2, 3], [4, 0, 2, 1], artists=[0, -1, -1, 0, -1])

    clusters = clusters_of_originals(table)

    same = clusters[:, None] == clusters
    assert same[0].tolist() == [True, False, False, True, False]
    assert same[1].tolist() == [False, True, True, False, False]
    assert clusters_of_repaints(table).tolist() == clusters[[4, 0, 2, 1]].tolist()
