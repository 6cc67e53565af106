"""Searches against plain products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainer.search import index as index_module
from trainer.search.approximate import CellIndex
from trainer.search.index import ExactIndex
from trainer.search.views import search_views

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]


def vectors_of(count: st.SearchStrategy[int]) -> st.SearchStrategy[Vectors]:
    """Of small whole numbers: products are exact in float32, and many are equal."""
    return st.builds(lambda n, seed: np.random.default_rng(seed).integers(-2, 3, (n, 3)).astype(np.float32), count, st.integers(0, 999))


def unit(rng: np.random.Generator, count: int, dimension: int) -> Vectors:
    vectors = rng.normal(size=(count, dimension))
    scaled: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return scaled


@pytest.mark.parametrize("faiss", [True, False])
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(vectors=vectors_of(st.integers(0, 40)), queries=vectors_of(st.integers(0, 4)), count=st.integers(1, 50))
def test_an_exact_search_finds_what_sorting_all_products_finds(vectors: Vectors, queries: Vectors, count: int, faiss: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_module, "_BLOCK", 7)
        products, rows = ExactIndex(vectors, faiss=faiss).search(queries, count)

    everything = queries @ vectors.T
    expected = -np.sort(-everything, axis=1)[:, :count]
    assert products.shape == rows.shape == (len(queries), min(count, len(vectors)))
    assert (products == expected).all()
    assert (np.take_along_axis(everything, rows, axis=1) == products).all()  # ties may be any of the equal ones, each once
    assert all(len(set(one)) == len(one) for one in rows.tolist())


@pytest.mark.parametrize("faiss", [True, False])
def test_of_equal_products_the_lower_row_comes_first(faiss: bool) -> None:
    vectors = np.array([[0, 1], [1, 0], [0, 1], [1, 0]], dtype=np.float32)

    _, rows = ExactIndex(vectors, faiss=faiss).search(np.array([[1, 0.5]], dtype=np.float32), 4)

    assert rows.tolist() == [[1, 3, 0, 2]]


def test_faiss_and_numpy_agree_on_many_queries_over_vectors_mapped_from_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    unit(rng, 2000, 32).tofile(tmp_path / "vectors.f32")
    mapped = np.memmap(tmp_path / "vectors.f32", dtype="<f4", mode="r", shape=(2000, 32))
    queries = unit(rng, 50, 32)

    one, other = ExactIndex(mapped).search(queries, 10), ExactIndex(mapped, faiss=False).search(queries, 10)

    assert one[0] == pytest.approx(other[0], abs=1e-6)
    assert (one[1] == other[1]).all()


def test_an_approximate_search_says_how_much_it_finds_and_keeps_to_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    centres = unit(rng, 40, 16)
    vectors = centres[rng.integers(40, size=6000)] + 0.2 * unit(rng, 6000, 16)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    index = CellIndex.build(vectors)
    index.write(tmp_path / "cells.ivf")
    again = CellIndex.read(tmp_path / "cells.ivf", cells=index.cells, recall=index.recall)

    queries = vectors[rng.choice(6000, 300, replace=False)] + 0.05 * unit(rng, 300, 16)
    _, exact = ExactIndex(vectors).search(queries, 10)
    products, found = again.search(queries, 10)
    recall = np.mean([len(set(one) & set(other)) / 10 for one, other in zip(exact.tolist(), found.tolist(), strict=True)])
    assert index.recall >= 0.98
    assert index.cells < 93  # not all of them
    assert recall > 0.95
    assert len(again) == 6000
    assert (np.diff(products, axis=1) <= 0).all()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(vectors=vectors_of(st.integers(1, 30)), views=vectors_of(st.just(6)), count=st.integers(1, 40))
def test_the_largest_over_the_views_is_searched(vectors: Vectors, views: Vectors, count: int) -> None:
    seen = views.reshape(2, 3, 3)

    found = search_views(ExactIndex(vectors), seen, count)

    for query, (products, rows, chosen) in zip(seen, found, strict=True):
        largest = (query @ vectors.T).max(axis=0)
        assert (products == -np.sort(-largest)[:count]).all()
        assert (largest[rows] == products).all()
        assert ((query[chosen] * vectors[rows]).sum(axis=1) == products).all()
        assert len(set(rows.tolist())) == len(rows) == min(count, len(vectors))


def test_a_search_in_nothing_finds_nothing() -> None:
    ((products, rows, views),) = search_views(ExactIndex(np.zeros((0, 4), dtype=np.float32)), np.ones((1, 2, 4), dtype=np.float32), 5)

    assert len(products) == len(rows) == len(views) == 0
