"""Cosines of vectors in memory and on disk, in single and in half precision, and how many rows are asked for at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.trainer.metrics.random_tables import MatrixSimilarities, a_table, stepped, unit_vectors
from trainer.metrics import similarities
from trainer.metrics.own_pairs import own_pairs
from trainer.metrics.similarities import CosineSimilarities, row_blocks

if TYPE_CHECKING:
    from pathlib import Path


def test_vectors_on_disk_in_half_precision_have_the_cosines_of_those_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarities, "_CONVERTED", 24)
    rng = np.random.default_rng(0)
    given = {"originals": unit_vectors(rng, 11, 8).astype(np.float16), "repaints": unit_vectors(rng, 14, 8).astype(np.float16)}
    on_disk = {}
    for name, vectors in given.items():
        np.save(tmp_path / f"{name}.npy", vectors)
        on_disk[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    table = a_table(range(11), rng.integers(0, 11, size=14).tolist())
    rows = np.array([7, 0, 3])

    found = CosineSimilarities(**on_disk)

    o, r = given["originals"].astype(np.float64), given["repaints"].astype(np.float64)
    for block, whole in (
        (found.originals_to_originals(rows), o @ o.T),
        (found.originals_to_repaints(rows), o @ r.T),
        (found.repaints_to_originals(rows), r @ o.T),
        (found.repaints_to_repaints(rows), r @ r.T),
    ):
        assert block.dtype == np.float32
        np.testing.assert_allclose(block, whole[rows], atol=1e-6)
    owners = table.repaints.originals
    np.testing.assert_allclose(own_pairs(found, table), (o @ r.T)[owners, np.arange(14)], atol=1e-6)


def test_similarities_that_know_only_blocks_give_the_same_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarities, "BLOCK", 2)
    rng = np.random.default_rng(1)
    table = a_table(range(5), [4, 0, 0, 3, 1, 2])
    given = MatrixSimilarities(*(stepped(rng, shape) for shape in ((5, 5), (5, 6), (6, 5), (6, 6))))

    assert own_pairs(given, table).tolist() == [given.om[owner, row] for row, owner in enumerate([4, 0, 0, 3, 1, 2])]


@pytest.mark.parametrize(("count", "columns"), [(163_000, 81_000), (81_000, 163_000), (5_000, 100), (3, 1 << 30), (0, 10)])
def test_blocks_cover_all_rows_once_and_stay_small(count: int, columns: int) -> None:
    blocks = list(row_blocks(count, columns))

    assert sum(map(len, blocks)) == count
    assert all(block[0] == 0 if not place else block[0] == blocks[place - 1][-1] + 1 for place, block in enumerate(blocks))
    assert all(len(block) == 1 or len(block) * columns * 4 <= 64 * 2**20 for block in blocks)
    assert all(len(block) <= similarities.BLOCK for block in blocks)
