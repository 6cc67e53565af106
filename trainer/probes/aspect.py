"""What can be told by the frame alone: a probe that sees a picture's width over its height and nothing in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.metrics.similarities import Block, Rows


class AspectSimilarities:
    """s(a, b) = -|log aspect(a) - log aspect(b)|, aspect being width over height: 0 for equal shapes, symmetric for portrait and landscape.

    A repaint has the shape of its original, so this probe scores well wherever negatives have other shapes.
    """

    def __init__(self, originals: npt.NDArray[np.float64], repaints: npt.NDArray[np.float64]) -> None:
        """Width over height of originals (N,), as far as their repaints show them, and of repaints (M,)."""
        self._originals = np.log(originals).astype(np.float32)
        self._repaints = np.log(repaints).astype(np.float32)

    def originals_to_originals(self, rows: Rows) -> Block:
        """(n, N): these originals to all originals."""
        return _likeness(self._originals[rows], self._originals)

    def originals_to_repaints(self, rows: Rows) -> Block:
        """(n, M): these originals to all repaints."""
        return _likeness(self._originals[rows], self._repaints)

    def repaints_to_originals(self, rows: Rows) -> Block:
        """(n, N): these repaints to all originals."""
        return _likeness(self._repaints[rows], self._originals)

    def repaints_to_repaints(self, rows: Rows) -> Block:
        """(n, M): these repaints to all repaints."""
        return _likeness(self._repaints[rows], self._repaints)


def _likeness(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> Block:
    likeness: Block = -np.abs(one[:, None] - other[None, :])
    return likeness
