"""Measures of collapse equal their definitions over all pairs, and show a cone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from tests.unit.trainer.metrics.random_tables import unit_vectors
from trainer.metrics import collapse, similarities
from trainer.metrics.collapse import alignment, effective_rank, mean_off_pair_cosine, uniformity


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_measures_are_those_of_their_definitions(kind: type[np.floating], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarities, "BLOCK", 7)
    monkeypatch.setattr(collapse, "BLOCK_ENTRIES", 100)
    rng = np.random.default_rng(0)
    vectors = unit_vectors(rng, 30, 8).astype(kind)
    groups = rng.integers(0, 12, size=30)
    whole = vectors.astype(np.float64)
    sigma = np.linalg.svd(whole, compute_uv=False)
    p = sigma / sigma.sum()
    different = groups[:, None] != groups

    assert effective_rank(vectors) == pytest.approx(np.exp(-(p * np.log(p)).sum()))
    assert mean_off_pair_cosine(vectors, groups) == pytest.approx((whole @ whole.T)[different].mean())
    # Vectors in half precision are of length 1 within a thousandth only.
    assert uniformity(vectors) == pytest.approx(np.log(np.exp(-2 * pdist(whole) ** 2).mean()), abs=1e-5 if kind is np.float32 else 2e-3)
    assert alignment(np.array([1.0, 0.0, -1.0])).tolist() == [0, 2, 4]


def test_a_cone_shows_in_every_measure() -> None:
    rng = np.random.default_rng(1)
    free = unit_vectors(rng, 300, 16)
    cone = free.copy()
    cone[:, 0] += 3.0
    cone /= np.linalg.norm(cone, axis=1, keepdims=True)
    groups = np.arange(300)

    assert effective_rank(free) > 15
    assert effective_rank(cone) < 12
    assert abs(mean_off_pair_cosine(free, groups)) < 0.01
    assert mean_off_pair_cosine(cone, groups) > 0.3
    assert uniformity(free) < uniformity(cone) - 0.5


def test_one_point_has_rank_one_and_no_spread() -> None:
    point = np.tile(np.eye(4, dtype=np.float32)[:1], (6, 1))

    assert effective_rank(point) == pytest.approx(1)
    assert uniformity(point) == pytest.approx(0)


def test_one_group_alone_has_no_pairs() -> None:
    with pytest.raises(ValueError, match="one group"):
        mean_off_pair_cosine(np.eye(3, dtype=np.float32), np.zeros(3, dtype=np.int64))
