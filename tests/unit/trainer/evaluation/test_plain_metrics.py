from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.trainer.evaluation.conftest import pairs, unit
from trainer.data.pair_table import UNKNOWN
from trainer.evaluation import plain_metrics
from trainer.evaluation.plain_metrics import SAME_SHAPE, clustered_mean, paired_difference, plain_accuracies, plain_nearest, plain_retrieval
from trainer.evaluation.scorers import EqualSimilarities
from trainer.metrics.similarities import TIE, CosineSimilarities

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.data.pair_table import PairTable


@pytest.fixture
def table() -> PairTable:
    """Twelve artworks, two of them copies, four artists, two shapes, two levels with two repaints each."""
    groups = [0, 0, *range(1, 11)]
    return pairs(12, artists=4, levels=("moderate", "radical"), ordinals=2, aspects=(1.0, 1.0, 1.5), groups=groups)


@pytest.fixture
def similarities(table: PairTable) -> CosineSimilarities:
    """Coarse vectors, so that some similarities tie."""
    random = np.random.default_rng(3)
    return CosineSimilarities(
        unit(random.integers(-1, 2, (len(table.originals), 3)) + 0.01), unit(random.integers(-1, 2, (len(table.repaints), 3)) + 0.01)
    )


def is_negative(kind: str, table: PairTable, row: int, other: int) -> bool:
    one = table.originals
    if one.groups[row] == one.groups[other]:
        return False
    shared = bool(one.styles[row] & one.styles[other])
    match kind:
        case "same_shape":
            return bool(abs(np.log(one.aspects[row] / one.aspects[other])) <= SAME_SHAPE)
        case "other_style":
            return not shared
        case "same_style":
            return shared
        case _:
            return bool(one.artists[row] != UNKNOWN and one.artists[row] == one.artists[other])


def coin(positive: float, negative: float) -> float:
    return 0.5 if abs(positive - negative) <= TIE else float(positive > negative)


@pytest.mark.parametrize("kind", ["same_shape", "other_style", "same_style", "same_artist"])
def test_accuracy_equals_a_loop_over_all_negatives(kind: str, table: PairTable, similarities: CosineSimilarities) -> None:
    values = plain_accuracies(similarities, table, plain_nearest(similarities, table))[kind]

    between = similarities.originals @ similarities.originals.T
    for repaint, row in enumerate(table.repaints.originals.tolist()):
        positive = float(similarities.originals[row] @ similarities.repaints[repaint])
        negatives = [other for other in range(12) if is_negative(kind, table, row, other)]
        expected = np.mean([coin(positive, float(between[row, other])) for other in negatives]) if negatives else np.nan
        assert values[repaint] == pytest.approx(expected, nan_ok=True)


def test_generated_negatives_are_repaints_of_other_groups_at_the_same_level(table: PairTable, similarities: CosineSimilarities) -> None:
    values = plain_accuracies(similarities, table, plain_nearest(similarities, table))["generated"]

    cosines = similarities.originals @ similarities.repaints.T
    for repaint, row in enumerate(table.repaints.originals.tolist()):
        negatives = [
            other
            for other in range(len(table.repaints))
            if table.repaint_groups[other] != table.repaint_groups[repaint]
            and table.repaints.levels[other] == table.repaints.levels[repaint]
        ]
        expected = np.mean([coin(float(cosines[row, repaint]), float(cosines[row, other])) for other in negatives])
        assert values[repaint] == pytest.approx(expected)


def test_the_nearest_are_of_other_groups_and_sorted_out_by_likeness(table: PairTable, similarities: CosineSimilarities) -> None:
    nearest = plain_nearest(similarities, table)

    between = similarities.originals @ similarities.originals.T
    for row, found in enumerate(nearest):
        kept = [other for other in found.tolist() if other != UNKNOWN]
        others = [other for other in range(12) if table.originals.groups[other] != table.originals.groups[row]]
        assert set(kept) <= set(others)
        best = sorted((between[row, other] for other in others), reverse=True)[:10]
        assert sorted((between[row, other] for other in kept), reverse=True) == pytest.approx(best[: len(kept)])
        assert len(kept) == 10


def test_retrieval_equals_ranks_averaged_over_orders_of_ties(table: PairTable, similarities: CosineSimilarities) -> None:
    found = plain_retrieval(similarities, table)

    random = np.random.default_rng(0)
    cosines = similarities.repaints @ similarities.originals.T
    for repaint in range(0, len(table.repaints), 5):
        own = table.originals.groups == table.repaint_groups[repaint]
        scores = np.where(own, cosines[repaint][own].max(), cosines[repaint])
        ranks = []
        for _ in range(800):
            order = np.lexsort((random.random(12), -np.round(scores, 5)))
            others_first = [row for row in order if not own[row] or row == np.flatnonzero(own)[0]]
            ranks.append(1 + others_first.index(np.flatnonzero(own)[0]))
        assert found["recall_at_1"][repaint] == pytest.approx(np.mean(np.array(ranks) == 1), abs=0.06)
        assert found["average_precision"][repaint] == pytest.approx(np.mean(1 / np.array(ranks)), abs=0.06)


def test_when_everything_ties_all_figures_are_those_of_chance() -> None:
    table = pairs(30, artists=5)
    equal = EqualSimilarities(30, 30)

    accuracies = plain_accuracies(equal, table, plain_nearest(equal, table))
    retrieval = plain_retrieval(equal, table)

    assert {name: set(values) for name, values in accuracies.items()} == {name: {0.5} for name in accuracies}
    assert retrieval["recall_at_1"] == pytest.approx(1 / 30)
    assert retrieval["recall_at_10"] == pytest.approx(10 / 30)
    assert retrieval["average_precision"] == pytest.approx(np.mean(1 / np.arange(1, 31)))


@pytest.mark.parametrize(
    "metric", [plain_retrieval, lambda similarities, table: plain_accuracies(similarities, table, np.zeros((12, 1), int))]
)
def test_the_size_of_blocks_changes_nothing(
    metric: Callable[..., dict[str, np.ndarray]], table: PairTable, similarities: CosineSimilarities, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = metric(similarities, table)
    monkeypatch.setattr(plain_metrics, "_BLOCK_ENTRIES", 100)

    for name, values in metric(similarities, table).items():
        assert values == pytest.approx(whole[name], nan_ok=True)


def test_the_interval_is_over_clusters_and_not_over_repaints() -> None:
    values = np.random.default_rng(0).integers(0, 2, 400).astype(np.float64)

    alone = clustered_mean(values, np.arange(400))
    clustered = clustered_mean(np.repeat(values[:25], 16), np.repeat(np.arange(25), 16))

    assert alone.low is not None
    assert alone.high is not None
    assert alone.high - alone.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.15)
    assert clustered.high is not None
    assert clustered.low is not None
    assert clustered.high - clustered.low > 3 * (alone.high - alone.low)
    assert (alone.clusters, clustered.clusters, clustered.count) == (400, 25, 400)


@pytest.mark.parametrize(("value", "ends"), [(1.0, (0.6915, 1.0)), (0.0, (0.0, 0.3085))])
def test_a_perfect_score_of_ten_clusters_has_the_exact_interval(value: float, ends: tuple[float, float]) -> None:
    figure = clustered_mean(np.full(40, value), np.repeat(np.arange(10), 4))

    assert (figure.low, figure.high) == pytest.approx(ends, abs=1e-4)
    assert figure.too_few


def test_a_paired_difference_is_narrower_than_its_parts_and_has_a_p() -> None:
    random = np.random.default_rng(0)
    base = random.random(200)
    clusters = np.repeat(np.arange(50), 4)

    better = paired_difference(base + 0.05 + 0.01 * random.normal(size=200), base, clusters)
    equal = paired_difference(base + 0.01 * random.normal(size=200), base, clusters)

    assert better.low > 0.04
    assert better.high < 0.06
    assert better.p < 0.01
    assert equal.low < 0 < equal.high
    assert equal.p > 0.05
