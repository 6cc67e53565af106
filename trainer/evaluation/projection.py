"""Vectors on their way into the evaluation: rows of one matrix through a head, block by block, in files where they are large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainer.data.embeddings import unit_length
from trainer.data.scratch import scratch_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]
    Numbers = npt.NDArray[np.int64]

#: Vectors that go through at once.
_BATCH = 1024


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


def side_by_side(spaces: Iterable[tuple[str, int]]) -> tuple[SpaceSlice, ...]:
    """The slices of a matrix that holds these spaces, given by name and dimension, one after another."""
    slices: list[SpaceSlice] = []
    for name, dimension in spaces:
        start = slices[-1].stop if slices else 0
        slices.append(SpaceSlice(name=name, start=start, stop=start + dimension))
    return tuple(slices)


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
