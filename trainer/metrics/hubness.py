"""Read-outs against hubs, pictures that are near to everything: each is itself `Similarities`, made of others and of a background.

The background is a set of pictures that no query is to find, usually the originals of the training side, so that one query can be answered
as well as many and no test picture is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from trainer.metrics.similarities import cosines, row_blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.metrics.similarities import Block, Rows, Similarities, Vectors

#: Neighbours whose mean similarity is a picture's hubness in CSLS (Conneau et al. 2018, section 2.3).
CSLS_NEIGHBOURS = 10

#: Neighbours in score normalisation, and its weight (Pizzi et al. 2022, SSCD: "1.0[0,2]" of its evaluation).
NORMALISATION_NEIGHBOURS = 3
NORMALISATION_WEIGHT = 1.0


class Background(Protocol):
    """Similarities of a table's pictures to a background of B others."""

    def originals_to_background(self, rows: Rows) -> Block:
        """(n, B)."""
        ...

    def repaints_to_background(self, rows: Rows) -> Block:
        """(n, B)."""
        ...


class CosineBackground:
    """Of vectors of unit length: originals (N, d), repaints (M, d) and background (B, d)."""

    def __init__(self, originals: Vectors, repaints: Vectors, background: Vectors) -> None:
        self.originals = originals
        self.repaints = repaints
        self.background = background

    def originals_to_background(self, rows: Rows) -> Block:
        """(n, B): cosines of these originals to the background."""
        return cosines(self.originals[rows], self.background)

    def repaints_to_background(self, rows: Rows) -> Block:
        """(n, B): cosines of these repaints to the background."""
        return cosines(self.repaints[rows], self.background)


class CSLSSimilarities:
    """CSLS(x, y) = 2 s(x, y) - r(x) - r(y), where r is the mean similarity to the k nearest of the background.

    Conneau et al. 2018, "Word Translation Without Parallel Data". There the neighbours of x are those in y's set and the other way round,
    which takes all queries at once; here both are the background's.
    """

    def __init__(
        self, similarities: Similarities, background: Background, *, originals: int, repaints: int, k: int = CSLS_NEIGHBOURS
    ) -> None:
        self.similarities = similarities
        self.original_radii = neighbour_similarity(background.originals_to_background, originals, k)
        self.repaint_radii = neighbour_similarity(background.repaints_to_background, repaints, k)

    def originals_to_originals(self, rows: Rows) -> Block:
        """(n, N)."""
        return 2 * self.similarities.originals_to_originals(rows) - self.original_radii[rows, None] - self.original_radii

    def originals_to_repaints(self, rows: Rows) -> Block:
        """(n, M)."""
        return 2 * self.similarities.originals_to_repaints(rows) - self.original_radii[rows, None] - self.repaint_radii

    def repaints_to_originals(self, rows: Rows) -> Block:
        """(n, N)."""
        return 2 * self.similarities.repaints_to_originals(rows) - self.repaint_radii[rows, None] - self.original_radii

    def repaints_to_repaints(self, rows: Rows) -> Block:
        """(n, M)."""
        return 2 * self.similarities.repaints_to_repaints(rows) - self.repaint_radii[rows, None] - self.repaint_radii


class NormalisedSimilarities:
    """s'(x, y) = s(x, y) - w r(x), where x is the query and r its mean similarity to the k nearest of the background.

    Pizzi et al. 2022, "A Self-Supervised Descriptor for Image Copy Detection" (SSCD), after Douze et al. 2021 (DISC21). One query's ranking
    stays what it is; one threshold for all queries, as in `verification`, becomes fairer.
    """

    def __init__(
        self,
        similarities: Similarities,
        background: Background,
        *,
        originals: int,
        repaints: int,
        k: int = NORMALISATION_NEIGHBOURS,
        weight: float = NORMALISATION_WEIGHT,
    ) -> None:
        self.similarities = similarities
        self.original_shifts = weight * neighbour_similarity(background.originals_to_background, originals, k)
        self.repaint_shifts = weight * neighbour_similarity(background.repaints_to_background, repaints, k)

    def originals_to_originals(self, rows: Rows) -> Block:
        """(n, N)."""
        return self.similarities.originals_to_originals(rows) - self.original_shifts[rows, None]

    def originals_to_repaints(self, rows: Rows) -> Block:
        """(n, M)."""
        return self.similarities.originals_to_repaints(rows) - self.original_shifts[rows, None]

    def repaints_to_originals(self, rows: Rows) -> Block:
        """(n, N)."""
        return self.similarities.repaints_to_originals(rows) - self.repaint_shifts[rows, None]

    def repaints_to_repaints(self, rows: Rows) -> Block:
        """(n, M)."""
        return self.similarities.repaints_to_repaints(rows) - self.repaint_shifts[rows, None]


def neighbour_similarity(to_background: Callable[[Rows], Block], count: int, k: int) -> Block:
    """(count,) of each picture the mean similarity to its k nearest of the background, or to all of one that is smaller.

    Raises:
        ValueError: The background is empty.
    """
    found: Block = np.empty(count, dtype=np.float32)
    background = to_background(np.zeros(min(count, 1), dtype=np.int64)).shape[1]
    if not background:
        raise ValueError("the background holds no picture: take the originals of the training side")
    for rows in row_blocks(count, background):
        block = to_background(rows)
        nearest = np.partition(block, -k, axis=1)[:, -k:] if k < background else block
        found[rows] = nearest.mean(axis=1)
    return found
