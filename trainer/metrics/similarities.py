"""Similarities between pictures, by blocks of rows: what every metric is computed from, whatever gave them.

A metric never holds a matrix of all pairs: it asks for the rows it works on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]
    Block = npt.NDArray[np.float32]
    #: float16 or float32, in memory or memory-mapped.
    Vectors = npt.NDArray[np.floating]

#: Rows that a metric asks for at once, at most.
BLOCK = 1024

#: Similarities that a metric holds at once: 64 MiB as float32.
BLOCK_ENTRIES = 1 << 24

#: Differences below what float32 cosines can tell apart are ties, which count as what a coin would make of them.
TIE = 1e-6

#: Numbers of a gallery that are converted to float32 at once, when they are not float32 in memory: 32 MiB.
_CONVERTED = 1 << 23


class Similarities(Protocol):
    """How alike pictures are by one model; larger is more alike. Rows are those of a `PairTable`, and they are the queries."""

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
    """Of vectors of unit length: `originals` (N, d) and `repaints` (M, d), float16 or float32, in memory or memory-mapped."""

    def __init__(self, originals: Vectors, repaints: Vectors) -> None:
        self.originals = originals
        self.repaints = repaints

    def originals_to_originals(self, rows: Rows) -> Block:
        """(n, N): cosines of these originals to all originals."""
        return cosines(self.originals[rows], self.originals)

    def originals_to_repaints(self, rows: Rows) -> Block:
        """(n, M): cosines of these originals to all repaints."""
        return cosines(self.originals[rows], self.repaints)

    def repaints_to_originals(self, rows: Rows) -> Block:
        """(n, N): cosines of these repaints to all originals."""
        return cosines(self.repaints[rows], self.originals)

    def repaints_to_repaints(self, rows: Rows) -> Block:
        """(n, M): cosines of these repaints to all repaints."""
        return cosines(self.repaints[rows], self.repaints)

    def originals_to_their_repaints(self, originals: Rows, repaints: Rows) -> Block:
        """(k,): the cosine of each original to the repaint at the same place."""
        return np.concatenate([np.zeros(0, dtype=np.float32), *self._of_pairs(originals, repaints)])

    def _of_pairs(self, originals: Rows, repaints: Rows) -> Iterator[Block]:
        for rows in row_blocks(len(originals), self.originals.shape[1]):
            one, other = self.originals[originals[rows]], self.repaints[repaints[rows]]
            yield np.einsum("nd,nd->n", one, other, dtype=np.float32, casting="same_kind")


def row_blocks(count: int, columns: int) -> Iterator[Rows]:
    """The rows 0 to count - 1 in runs of at most `BLOCK`, shorter where rows of that many columns would fill too much memory."""
    size = max(1, min(BLOCK, BLOCK_ENTRIES // max(1, columns)))
    for start in range(0, count, size):
        yield np.arange(start, min(start + size, count))


def cosines(queries: Vectors, gallery: Vectors) -> Block:
    """(n, G): of unit vectors (n, d) and (G, d). A gallery on disk or in half precision is converted part by part."""
    ours: Block = np.asarray(queries, dtype=np.float32)
    if gallery.dtype == np.float32 and not isinstance(gallery, np.memmap):
        whole: Block = ours @ np.asarray(gallery, dtype=np.float32).T
        return whole
    found: Block = np.empty((len(ours), len(gallery)), dtype=np.float32)
    step = max(1, _CONVERTED // max(1, gallery.shape[1]))
    for start in range(0, len(gallery), step):
        part = np.asarray(gallery[start : start + step], dtype=np.float32)
        found[:, start : start + step] = ours @ part.T
    return found
