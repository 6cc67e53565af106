"""Vectors on their way into the evaluation: rows of one matrix through a head, block by block, in files where they are large."""

from __future__ import annotations

from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import numpy as np

from trainer.data.embeddings import unit_length

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]
    Numbers = npt.NDArray[np.int64]

#: Vectors that go through at once.
_BATCH = 1024

#: Larger arrays lie in a file of the temporary folder, which is gone with them.
_MOST_BYTES_IN_MEMORY = 128 * 2**20


@dataclass(frozen=True, kw_only=True)
class SpaceSlice:
    """The columns of one embedding space in a matrix that holds several side by side."""

    #: Such as "clip" or "latents".
    name: str
    start: int
    stop: int

    def unit_vectors(self, vectors: Vectors) -> Vectors:
        """(n, stop - start) of length 1: the backbone as it is."""
        return unit_length(vectors[:, self.start : self.stop])


def project_rows(vectors: Vectors, rows: Numbers, project: Callable[[Vectors], Vectors]) -> Vectors:
    """These rows of a matrix, which may be memory-mapped, through a function of blocks of rows.

    The result is in memory, or memory-mapped if it is large.
    """
    first = project(vectors[rows[:_BATCH]])
    projected = scratch_array((len(rows), first.shape[1]))
    projected[: len(first)] = first
    for start in range(_BATCH, len(rows), _BATCH):
        projected[start : start + _BATCH] = project(vectors[rows[start : start + _BATCH]])
    return projected


def scratch_array(shape: tuple[int, int]) -> Vectors:
    """An array to be filled, in memory or in a file without a name."""
    if 4 * shape[0] * shape[1] <= _MOST_BYTES_IN_MEMORY:
        return np.empty(shape, dtype=np.float32)
    with TemporaryFile(prefix="paragone-vectors-") as file:
        return np.memmap(file, dtype=np.float32, mode="w+", shape=shape)
