from __future__ import annotations

import numpy as np
import pytest

from trainer.data import scratch
from trainer.evaluation.projection import SpaceSlice, project_rows, side_by_side


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
    monkeypatch.setattr(scratch, "MOST_BYTES_IN_MEMORY", 100)
    vectors = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)

    projected = project_rows(vectors, np.arange(50), lambda block: block)

    assert isinstance(projected, np.memmap)
    np.testing.assert_array_equal(projected, vectors)


def test_spaces_lie_one_after_another() -> None:
    clip, latents = side_by_side([("clip", 512), ("latents", 4096)])

    assert (clip.name, clip.start, clip.stop) == ("clip", 0, 512)
    assert (latents.name, latents.start, latents.stop) == ("latents", 512, 4608)


def test_a_space_is_its_columns_at_length_one() -> None:
    vectors = np.array([[3, 4, 0, 2], [0, 0, 1, 1]], dtype=np.float32)

    assert SpaceSlice(name="clip", start=0, stop=2).unit_vectors(vectors) == pytest.approx(np.array([[0.6, 0.8], [0, 0]]))
