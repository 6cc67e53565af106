"""Similarities between pictures, by blocks of rows: what every metric is computed from, whatever gave them.

A metric never holds a matrix of all pairs: it asks for the rows it works on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]
    Block = npt.NDArray[np.float32]

#: Rows that a metric asks for at once.
BLOCK = 1024

#: Differences below what float32 cosines can tell apart are ties, which count as what a coin would make of them.
TIE = 1e-6


class Similarities(Protocol):
    """How alike pictures are by one model; larger is more alike. Rows are those of a `PairTable`."""

    def originals_to_originals(self, rows: Rows) -> Block:
        """(n, N): these originals to all originals."""
        ...

    def originals_to_repaints(self, rows: Rows) -> Block:
        """(n, M): these originals to all repaints."""
        ...

    def repaints_to_originals(self, rows: Rows) -> Block:
        """(n, N): these repaints, as queries, to all originals."""
        ...

    def repaints_to_repaints(self, rows: Rows) -> Block:
        """(n, M): these repaints to all repaints."""
        ...


class CosineSimilarities:
    """Of vectors of unit length: `originals` (N, d) and `repaints` (M, d)."""

    def __init__(self, originals: npt.NDArray[np.float32], repaints: npt.NDArray[np.float32]) -> None:
        self.originals = originals
        self.repaints = repaints

    def originals_to_originals(self, rows: Rows) -> Block:
        """(n, N): cosines of these originals to all originals."""
        return self.originals[rows] @ self.originals.T

    def originals_to_repaints(self, rows: Rows) -> Block:
        """(n, M): cosines of these originals to all repaints."""
        return self.originals[rows] @ self.repaints.T

    def repaints_to_originals(self, rows: Rows) -> Block:
        """(n, N): cosines of these repaints to all originals."""
        return self.repaints[rows] @ self.originals.T

    def repaints_to_repaints(self, rows: Rows) -> Block:
        """(n, M): cosines of these repaints to all repaints."""
        return self.repaints[rows] @ self.repaints.T
