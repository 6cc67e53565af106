from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.data import vector_matrix
from trainer.evaluation.projection import project_rows

if TYPE_CHECKING:
    import pytest


def test_rows_are_projected_in_blocks_as_if_at_once() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(3000, 4)).astype(np.float32)
    rows = random.integers(0, 3000, size=2500)
    sizes: list[int] = []

    def doubled(block: np.ndarray) -> np.ndarray:
        sizes.append(len(block))
        return 2 * block[:, :3]

    projected = project_rows(vectors, rows, doubled)

    np.testing.assert_array_equal(projected, 2 * vectors[rows, :3])
    assert sizes == [1024, 1024, 452]


def test_what_is_large_lies_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_matrix, "IN_MEMORY", 100)
    vectors = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)

    projected = project_rows(vectors, np.arange(50), lambda block: block)

    assert not projected.flags.owndata
    np.testing.assert_array_equal(projected, vectors)
