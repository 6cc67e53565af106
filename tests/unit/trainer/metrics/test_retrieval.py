"""Retrieval figures equal the mean over every order in which ties can stand, and those of libraries where there are no ties."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise, permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.trainer.metrics.random_tables import (
    MatrixSimilarities,
    a_table,
    exact,
    stepped,
    tables_with_similarities,
    unit_vectors,
)
from trainer.metrics.retrieval import RetrievalValues, original_to_repaint, repaint_to_original, retrieve, retrieve_vectors, tied_runs
from trainer.metrics.similarities import CosineSimilarities
from trainer.metrics.tied_ranks import TiedRun, reciprocal_rank

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.data.pair_table import PairTable

NAMES = ("recall_at_1", "recall_at_5", "recall_at_10", "average_precision", "map_at_r", "reciprocal_rank")


def of_one_order(right: list[bool]) -> dict[str, float]:
    """From the definitions, of items in the order of their ranks."""
    ranks = [rank for rank, one in enumerate(right, 1) if one]
    precisions = {rank: sum(right[:rank]) / rank for rank in ranks}
    return {
        "recall_at_1": float(any(right[:1])),
        "recall_at_5": float(any(right[:5])),
        "recall_at_10": float(any(right[:10])),
        "average_precision": sum(precisions.values()) / len(ranks),
        "map_at_r": sum(value for rank, value in precisions.items() if rank <= len(ranks)) / len(ranks),
        "reciprocal_rank": 1 / ranks[0],
    }


def over_all_orders(scores: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> dict[str, float]:
    sorted_ones = [
        of_one_order([bool(right[item]) for item in order])
        for order in permutations(range(len(scores)))
        if all(scores[one] >= scores[other] for one, other in pairwise(order))
    ]
    return {name: float(np.mean([one[name] for one in sorted_ones])) for name in NAMES}


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=7), st.integers(0, 2**32 - 1))
def test_figures_are_the_mean_over_every_order_of_ties(items: list[tuple[int, bool]], seed: int) -> None:
    steps, right = np.array([step for step, _ in items]), np.array([one for _, one in items])
    noise = np.random.default_rng(seed).uniform(-1e-7, 1e-7, size=len(items))
    row = (0.25 * steps + noise).astype(np.float32)

    found = retrieve(lambda rows: row[None][rows], np.array([1]), right.astype(np.int64))

    if not right.any():
        assert found.without_answer == 1
        assert all(np.isnan(getattr(found, name)).all() for name in NAMES)
        return
    expected = over_all_orders(steps.astype(np.float64), right)
    assert {name: getattr(found, name)[0] for name in NAMES} == pytest.approx(expected)


@pytest.mark.parametrize("run", [TiedRun(0, 0, 1, 80_000), TiedRun(12, 0, 3, 80_000), TiedRun(0, 0, 70_000, 11_000), TiedRun(4, 0, 5, 0)])
def test_a_run_of_a_whole_gallery_does_not_lose_precision(run: TiedRun) -> None:
    chances = np.ones(run.wrong + 1)
    for x in range(1, run.wrong + 1):
        chances[x] = chances[x - 1] * (run.wrong - x + 1) / (run.size - x + 1)
    chances *= run.right / (run.size - np.arange(run.wrong + 1))

    assert chances.sum() == pytest.approx(1)
    assert reciprocal_rank(run) == pytest.approx(float((chances / (run.before + 1 + np.arange(run.wrong + 1))).sum()))


@settings(deadline=None, max_examples=60)
@given(tables_with_similarities())
def test_repaints_and_originals_find_each_other_as_loops_say(case: tuple[PairTable, MatrixSimilarities]) -> None:
    table, given_similarities = case
    groups, owners = table.originals.groups, table.repaints.originals
    aspects = table.originals.aspects

    found = repaint_to_original(given_similarities, table)
    narrow = repaint_to_original(given_similarities, table, same_shape_within=0.02)
    for query, owner in enumerate(owners):
        ratio = np.maximum(aspects, aspects[owner]) / np.minimum(aspects, aspects[owner])
        for figures, taken in ((found, np.ones(len(groups), dtype=np.bool_)), (narrow, ratio <= 1.02)):
            expected = over_all_orders(exact(given_similarities.mo[query][taken]), groups[taken] == groups[owner])
            assert {name: getattr(figures, name)[query] for name in NAMES} == pytest.approx(expected)
            assert (figures.gallery[query], figures.right[query]) == (taken.sum(), (groups[taken] == groups[owner]).sum())

    back = original_to_repaint(given_similarities, table, level="radical")
    for query, group in enumerate(groups):
        taken = table.repaints.levels == "radical"
        right = groups[owners[taken]] == group
        assert back.right[query] == right.sum()
        if right.any():
            expected = over_all_orders(exact(given_similarities.om[query][taken]), right)
            assert {name: getattr(back, name)[query] for name in NAMES} == pytest.approx(expected)


def test_chosen_queries_get_what_they_get_among_all() -> None:
    rng = np.random.default_rng(4)
    table = a_table([0, 1, 1, 2, 3], [0, 1, 2, 3, 4, 4])
    given_similarities = MatrixSimilarities(*(stepped(rng, shape) for shape in ((5, 5), (5, 6), (6, 5), (6, 6))))
    repaints, originals = np.array([5, 1]), np.array([4, 0, 2])

    for chosen, some, whole in (
        (repaints, repaint_to_original(given_similarities, table, repaints, 0.02), repaint_to_original(given_similarities, table)),
        (originals, original_to_repaint(given_similarities, table, queries=originals), original_to_repaint(given_similarities, table)),
    ):
        for field in fields(RetrievalValues):
            np.testing.assert_array_equal(getattr(some, field.name), getattr(whole, field.name)[chosen])


def test_a_level_is_ranked_alone_and_shape_narrows_it() -> None:
    table = a_table([0, 1], [0, 0, 1, 1], aspects=[1.0, 2.0], levels=["moderate", "radical"] * 2)
    om = np.array([[0.9, 0.1, 0.2, 0.5], [0.5, 0.4, 0.9, 0.1]], dtype=np.float32)
    given_similarities = MatrixSimilarities(om[:, :2], om, om.T, om.T)

    assert original_to_repaint(given_similarities, table).recall_at_1.tolist() == [1, 1]
    assert original_to_repaint(given_similarities, table, level="radical").recall_at_1.tolist() == [0, 0]
    narrow = original_to_repaint(given_similarities, table, level="radical", same_shape_within=0.02)
    assert (narrow.recall_at_1.tolist(), narrow.gallery.tolist()) == ([1, 1], [1, 1])


def test_text_and_image_vectors_are_ranked_like_torchmetrics_does() -> None:
    import torch
    from torchmetrics.functional.retrieval import retrieval_average_precision, retrieval_hit_rate, retrieval_reciprocal_rank

    rng = np.random.default_rng(5)
    texts, images = unit_vectors(rng, 12, 6), unit_vectors(rng, 40, 6)
    text_groups, image_groups = np.arange(12), rng.integers(0, 12, size=40)
    image_groups[:12] = np.arange(12)

    found = retrieve_vectors(texts, images, text_groups, image_groups)

    for query in range(12):
        # It takes nothing for right whose score is not above 0.
        scores = torch.from_numpy(texts[query] @ images.T) + 2
        right = torch.from_numpy(image_groups == query)
        assert found.average_precision[query] == pytest.approx(float(retrieval_average_precision(scores, right)), abs=1e-6)
        assert found.reciprocal_rank[query] == pytest.approx(float(retrieval_reciprocal_rank(scores, right)), abs=1e-6)
        for k in (1, 5, 10):
            assert getattr(found, f"recall_at_{k}")[query] == float(retrieval_hit_rate(scores, right, top_k=k))


def test_means_are_those_of_pytorch_metric_learning() -> None:
    import torch
    from pytorch_metric_learning.distances import CosineSimilarity
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import CustomKNN

    rng = np.random.default_rng(6)
    groups = np.arange(15) % 9
    owners = rng.integers(0, 15, size=30)
    originals, repaints = unit_vectors(rng, 15, 5), unit_vectors(rng, 30, 5)
    table = a_table(groups.tolist(), owners.tolist())

    found = repaint_to_original(CosineSimilarities(originals, repaints), table)

    peer = AccuracyCalculator(k=15, knn_func=CustomKNN(CosineSimilarity()), device=torch.device("cpu")).get_accuracy(
        torch.from_numpy(repaints), torch.from_numpy(groups[owners]), torch.from_numpy(originals), torch.from_numpy(groups)
    )
    assert found.recall_at_1.mean() == pytest.approx(peer["precision_at_1"])
    assert found.map_at_r.mean() == pytest.approx(peer["mean_average_precision_at_r"])
    assert found.average_precision.mean() == pytest.approx(peer["mean_average_precision"])
    assert found.reciprocal_rank.mean() == pytest.approx(peer["mean_reciprocal_rank"])


def test_a_collapsed_model_finds_as_often_as_a_coin() -> None:
    flat = np.ones((1, 200), dtype=np.float32)

    found = retrieve(lambda rows: flat[rows], np.array([7]), np.arange(200))

    assert found.recall_at_10[0] == pytest.approx(10 / 200)
    assert found.reciprocal_rank[0] == pytest.approx((1 / np.arange(1, 201)).mean())


def test_runs_that_lie_close_to_each_other_count_no_wrong_item_twice() -> None:
    right, between = [0.5, 0.5 - 1.5e-6], 0.5 - 0.75e-6
    runs = tied_runs(np.array([*right, between], dtype=np.float32), np.array([0, 1]))

    assert sum(run.wrong for run in runs) == 1
