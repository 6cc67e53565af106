"""Vectors on their way into the evaluation: rows of one matrix through a head, block by block, in files where they are large."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.data.vector_matrix import new_matrix

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]
    Numbers = npt.NDArray[np.int64]

#: Vectors that go through at once.
_BATCH = 1024


def project_rows(vectors: Vectors, rows: Numbers, project: Callable[[Vectors], Vectors]) -> Vectors:
    """These rows of a matrix, which may be memory-mapped, through a function of blocks of rows.

    The result is in memory, or memory-mapped if it is large.
    """
    first = project(vectors[rows[:_BATCH]])
    projected = new_matrix(len(rows), first.shape[1])
    projected[: len(first)] = first
    for start in range(_BATCH, len(rows), _BATCH):
        projected[start : start + _BATCH] = project(vectors[rows[start : start + _BATCH]])
    return projected
