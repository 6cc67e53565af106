"""Principal directions of many rows, by whichever of the two forms is smaller: dimension x dimension, or rows x rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from trainer.heads.closed_form import FittingPairs

    Floats = npt.NDArray[np.float64]
    #: Gives the rows of a slice in float64, so that not all of them are held at once.
    Rows = Callable[[slice], Floats]

#: Rows taken at once in the form dimension x dimension.
_BLOCK = 4096

#: Eigenvalues below this share of the largest are what rounding leaves of zero.
_RANK = 1e-10


@dataclass(frozen=True, kw_only=True)
class PrincipalDirections:
    """The eigenvectors of rows' second moment X'X/m that have an eigenvalue, the largest first."""

    #: (r,) and (dimension, r).
    values: Floats
    vectors: Floats

    def leading(self, count: int) -> PrincipalDirections:
        """The first `count` of them."""
        return PrincipalDirections(values=self.values[:count], vectors=self.vectors[:, :count])


def unit_rows(vectors: npt.NDArray[np.floating]) -> Floats:
    """The rows in float64 and of length 1; a row of zeros stays zero."""
    rows = np.asarray(vectors, dtype=np.float64)
    scaled: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return scaled


def principal_directions(rows: Rows, count: int, dimension: int) -> PrincipalDirections:
    """Eigenvectors of X'X/m for the m = `count` rows of X, which `rows` gives by slices.

    With fewer rows than dimensions by the dual form: X X'/m = U diag(values) U' has the same values, and X'U / sqrt(m values) are the
    vectors.
    """
    if count < dimension:
        held = rows(slice(0, count))
        values, left = eigh(held @ held.T / max(count, 1), driver="evd") if count else (np.zeros(0), np.zeros((0, 0)))
        kept = np.flatnonzero(values > _RANK * max(values.max(initial=0), 1e-30))[::-1]
        return PrincipalDirections(values=values[kept], vectors=held.T @ left[:, kept] / np.sqrt(count * values[kept]))
    values, vectors = eigh(second_moment(rows, count, dimension), driver="evd")
    kept = np.flatnonzero(values > _RANK * max(values.max(initial=0), 1e-30))[::-1]
    return PrincipalDirections(values=values[kept], vectors=vectors[:, kept])


def second_moment(rows: Rows, count: int, dimension: int) -> Floats:
    """X'X/m, (dimension, dimension), block by block."""
    moment = np.zeros((dimension, dimension))
    for start in range(0, count, _BLOCK):
        block = rows(slice(start, min(start + _BLOCK, count)))
        moment += block.T @ block
    return moment / count


def mean_of_pairs(pairs: FittingPairs) -> Floats:
    """(dimension,) the middle between the mean of the originals and that of the repaints, so that neither kind draws the mean to itself."""
    return (_mean(pairs.originals) + _mean(pairs.repaints)) / 2


def _mean(vectors: npt.NDArray[np.float32]) -> Floats:
    total = np.zeros(vectors.shape[1])
    for start in range(0, len(vectors), _BLOCK):
        total += unit_rows(vectors[start : start + _BLOCK]).sum(axis=0)
    return total / max(len(vectors), 1)


def all_pictures(pairs: FittingPairs, mean: Floats) -> tuple[Rows, int]:
    """The centred unit vectors of originals and then repaints, by slices, and how many there are."""
    first = len(pairs.originals)

    def rows(wanted: slice) -> Floats:
        start, stop = wanted.start, wanted.stop
        originals, repaints = pairs.originals[start : min(stop, first)], pairs.repaints[max(start - first, 0) : max(stop - first, 0)]
        return np.concatenate([unit_rows(originals), unit_rows(repaints)]) - mean

    return rows, first + len(pairs.repaints)
