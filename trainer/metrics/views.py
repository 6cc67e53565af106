"""Queries that are seen as several views (plain, mirrored, crops), and similarities of a part of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.metrics.similarities import cosines

if TYPE_CHECKING:
    from trainer.metrics.similarities import Block, Rows, Similarities, Vectors


class ViewSimilarities:
    """The cosine of the query's view that is most alike: s(x, y) = max over the views v of x of cos(v, y).

    Only queries have views. Whoever is asked for in rows is the query; the gallery is seen plainly. So an original that is compared with
    its repaint and with negatives (`triplet_accuracy`) has the same views for both, and neither gets more tries than the other.
    """

    def __init__(self, originals: Vectors, repaints: Vectors, repaint_views: Vectors, original_views: Vectors | None = None) -> None:
        """Vectors of unit length.

        Args:
            originals: (N, d) plainly seen.
            repaints: (M, d) plainly seen.
            repaint_views: (M, V, d) of repaints that ask; the plain view belongs to them.
            original_views: (N, V, d) of originals that ask; by default they are seen plainly.

        Raises:
            ValueError: Views that do not fit the vectors.
        """
        for name, views, plain in (("repaint", repaint_views, repaints), ("original", original_views, originals)):
            if views is not None and (views.ndim, views.shape[0], views.shape[-1]) != (3, *plain.shape):
                raise ValueError(f"{name} views of shape {views.shape} do not fit vectors of shape {plain.shape}: (rows, views, dimension)")
        self.originals = originals
        self.repaints = repaints
        self.repaint_views = repaint_views
        self.original_views = original_views

    def originals_to_originals(self, rows: Rows) -> Block:
        """(n, N): these originals, in their views, to all originals."""
        return self._of_originals(rows, self.originals)

    def originals_to_repaints(self, rows: Rows) -> Block:
        """(n, M): these originals, in their views, to all repaints."""
        return self._of_originals(rows, self.repaints)

    def repaints_to_originals(self, rows: Rows) -> Block:
        """(n, N): these repaints, in their views, to all originals."""
        return most_alike(self.repaint_views[rows], self.originals)

    def repaints_to_repaints(self, rows: Rows) -> Block:
        """(n, M): these repaints, in their views, to all repaints."""
        return most_alike(self.repaint_views[rows], self.repaints)

    def _of_originals(self, rows: Rows, gallery: Vectors) -> Block:
        if self.original_views is None:
            return cosines(self.originals[rows], gallery)
        return most_alike(self.original_views[rows], gallery)


def most_alike(views: Vectors, gallery: Vectors) -> Block:
    """(n, G): the largest cosine over the views (n, V, d) of each query to the gallery (G, d)."""
    found = cosines(views[:, 0], gallery)
    for view in range(1, views.shape[1]):
        np.maximum(found, cosines(views[:, view], gallery), out=found)
    return found


class PartSimilarities:
    """Of the part of a table that `PairTable.take` gives, from similarities of the whole, in which its rows are these."""

    def __init__(self, similarities: Similarities, originals: Rows, repaints: Rows) -> None:
        self.similarities = similarities
        self.originals = originals
        self.repaints = repaints

    def originals_to_originals(self, rows: Rows) -> Block:
        """(n, N) of the part."""
        return self.similarities.originals_to_originals(self.originals[rows])[:, self.originals]

    def originals_to_repaints(self, rows: Rows) -> Block:
        """(n, M) of the part."""
        return self.similarities.originals_to_repaints(self.originals[rows])[:, self.repaints]

    def repaints_to_originals(self, rows: Rows) -> Block:
        """(n, N) of the part."""
        return self.similarities.repaints_to_originals(self.repaints[rows])[:, self.originals]

    def repaints_to_repaints(self, rows: Rows) -> Block:
        """(n, M) of the part."""
        return self.similarities.repaints_to_repaints(self.repaints[rows])[:, self.repaints]
