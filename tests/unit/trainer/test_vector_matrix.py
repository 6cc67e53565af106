from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainer.data.vector_matrix import keep_rows, new_matrix, release_pages
from trainer.errors import NoRoomForVectors
from trainer.heads.mlp import MlpHead
from trainer.heads.projection import project

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt


@given(kept=arrays.arrays(np.bool_, st.integers(0, 40)), mapped=st.booleans())
def test_the_rows_that_are_kept_move_up_in_their_order(kept: npt.NDArray[np.bool_], mapped: bool) -> None:
    matrix = new_matrix(len(kept), 5, in_memory=0 if mapped else None)
    matrix[:] = np.arange(matrix.size).reshape(matrix.shape)
    expected = matrix[kept].copy()

    np.testing.assert_array_equal(keep_rows(matrix, kept), expected)


def test_pages_that_are_released_keep_their_content(tmp_path: Path) -> None:
    matrix = new_matrix(3000, 300, directory=tmp_path, in_memory=0)
    matrix[:, 7] = np.arange(3000)

    release_pages(matrix[:, 5:10])

    np.testing.assert_array_equal(matrix[:, 7], np.arange(3000))
    assert not matrix[:, 8].any()


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="Linux alone says what is resident")  # noqa: PTH110
def test_a_large_matrix_is_written_and_projected_block_by_block(tmp_path: Path) -> None:
    torch.manual_seed(0)
    head = MlpHead(dimension=2048, hidden=8, out=8)
    matrix = new_matrix(20 * 1024, 2048, directory=tmp_path, in_memory=0)  # 168 MB
    before = _resident()
    for start in range(0, len(matrix), 1024):
        matrix[start : start + 1024, ::512] = start / 1024 + 1
        release_pages(matrix)
    projected = project(head, matrix)
    after = _resident()

    assert after - before < 60e6, "of 168 MB no more than some blocks are resident"
    np.testing.assert_array_equal(projected[-700:], project(head, np.array(matrix[-700:])))


def _resident() -> int:
    with open("/proc/self/smaps_rollup") as lines:  # noqa: PTH123
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss:"))


def test_a_disk_that_is_full_is_told_with_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _offset: int, _length: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)

    with pytest.raises(NoRoomForVectors, match=r"has no room for 4\.5 GB of vectors"):
        new_matrix(244_000, 4_608, directory=tmp_path)
