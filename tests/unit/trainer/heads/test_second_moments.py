from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.heads.second_moments import principal_directions, second_moment


@settings(deadline=None, max_examples=40)
@given(count=st.integers(1, 24), dimension=st.integers(1, 24), rank=st.integers(1, 24), seed=st.integers(0, 50))
def test_both_forms_rebuild_the_second_moment(count: int, dimension: int, rank: int, seed: int) -> None:
    """The dual form is taken with fewer rows than dimensions, the primal else; each must give V diag(values) V' = X'X/m."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, min(rank, dimension))) @ random.normal(size=(min(rank, dimension), dimension))

    found = principal_directions(lambda wanted: rows[wanted], count, dimension)

    assert np.allclose(found.vectors * found.values @ found.vectors.T, rows.T @ rows / count, atol=1e-8)
    assert np.allclose(found.vectors.T @ found.vectors, np.eye(len(found.values)), atol=1e-8)
    assert (np.diff(found.values) <= 0).all()
    assert len(found.values) == min(count, dimension, rank)


def test_rows_without_any_spread_have_no_direction() -> None:
    for count in (3, 30):
        found = principal_directions(lambda wanted, count=count: np.zeros((count, 5))[wanted], count, 5)  # type: ignore[misc]
        assert found.vectors.shape == (5, 0)


def test_the_second_moment_is_the_same_in_blocks() -> None:
    rows = np.random.default_rng(0).normal(size=(9000, 3))
    sizes: list[int] = []

    def given(wanted: slice) -> np.ndarray:
        sizes.append(len(rows[wanted]))
        return rows[wanted]

    assert np.allclose(second_moment(given, 9000, 3), rows.T @ rows / 9000)
    assert (sum(sizes), max(sizes)) == (9000, 4096)
