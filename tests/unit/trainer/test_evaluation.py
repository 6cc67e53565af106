from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from trainer.data.triplet_indices import TripletIndices
from trainer.errors import NothingToTrainOn
from trainer.evaluate.evaluation import evaluate_head
from trainer.evaluate.metrics import chance, interval, score_triplets
from trainer.evaluate.metrics_table import COLUMNS, plain_table, table_rows
from trainer.heads.mlp import MlpHead

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt


def by_hand() -> tuple[npt.NDArray[np.float32], TripletIndices]:
    """Originals 0, 1, 2 at 0, 60 and 90 degrees; repaint 3 of 0 at 10, repaint 4 of 1 at 20: nearer to 0 than to its own."""
    degrees = np.radians([0, 60, 90, 10, 20])
    vectors = np.stack([np.cos(degrees), np.sin(degrees)], axis=1).astype(np.float32)
    indices = TripletIndices(
        anchors=np.array([0, 1]),
        positives=np.array([3, 4]),
        negatives=np.array([2, 2]),
        levels=np.array(["moderate", "radical"]),
        groups=np.array([0, 1]),
        group_of_row={0: 0, 1: 1, 2: 2},
    )
    return vectors, indices


def test_scores_equal_those_computed_by_hand() -> None:
    vectors, indices = by_hand()

    score = score_triplets("clip", "all", vectors, indices, np.array([True, True]))

    s_plus, s_minus = np.cos(np.radians([10, 40])), np.cos(np.radians([90, 30]))
    assert score.accuracy == 0.5
    assert score.positive == pytest.approx(s_plus.mean(), abs=1e-6)
    assert score.negative == pytest.approx(s_minus.mean(), abs=1e-6)
    assert score.margin == pytest.approx((s_plus - s_minus).mean(), abs=1e-6)
    assert score.roc_auc == 0.75
    assert score.recall_at_1 == 0.5
    assert score.gallery == 3


def test_retrieving_a_copy_of_the_original_counts_as_recall() -> None:
    vectors, indices = by_hand()
    copies = TripletIndices(**{**indices.__dict__, "group_of_row": {0: 1, 1: 1, 2: 2}, "groups": np.array([1, 1])})

    assert score_triplets("clip", "all", vectors, copies, np.array([True, True])).recall_at_1 == 1.0


def test_a_model_that_maps_everything_to_one_point_scores_as_chance(indices: Callable[..., TripletIndices]) -> None:
    some = indices(50)
    chosen = np.ones(50, dtype=np.bool_)

    score = score_triplets("trained", "all", np.tile(np.array([0.6, 0.8], dtype=np.float32), (100, 1)), some, chosen)

    coin = chance("all", some, chosen)
    assert score.accuracy == coin.accuracy == 0.5
    assert score.roc_auc == coin.roc_auc == 0.5
    assert score.recall_at_1 == pytest.approx(coin.recall_at_1) == pytest.approx(1 / 50)


def test_the_interval_widens_when_triplets_come_from_few_artworks() -> None:
    values = np.random.default_rng(0).integers(0, 2, 400).astype(np.float64)
    clustered = np.repeat(values[:20], 20)

    low, high = interval(values, np.arange(400))
    low_few, high_few = interval(clustered, np.repeat(np.arange(20), 20))

    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.15)
    assert high_few - low_few > 3 * (high - low)


def test_the_table_has_every_level_with_frozen_clip_and_chance(indices: Callable[..., TripletIndices]) -> None:
    vectors = np.random.default_rng(0).normal(size=(80, 16)).astype(np.float32)

    evaluation = evaluate_head(MlpHead(dimension=16), vectors, indices(40))

    lines = [cells[:2] for cells in table_rows(evaluation)]
    assert lines == [(level, name) for level in ("all", "moderate", "radical") for name in ("trained head", "frozen CLIP", "chance")]
    assert evaluation.find("clip", "radical").triplets == 20
    assert {len(line) for line in plain_table(evaluation).splitlines()} == {len(plain_table(evaluation).splitlines()[0])}
    assert len(COLUMNS) == len(table_rows(evaluation)[0])


def test_evaluating_without_a_triplet_is_refused(indices: Callable[..., TripletIndices]) -> None:
    with pytest.raises(NothingToTrainOn, match="no triplet"):
        evaluate_head(MlpHead(dimension=4), np.zeros((0, 4), np.float32), indices(4, 2, 2))
