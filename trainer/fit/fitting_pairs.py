"""The pairs of originals and repaints that triplets name: what heads in closed form are fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.heads.closed_form import FittingPairs

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.data.triplet_indices import TripletIndices


def pair_rows(indices: TripletIndices) -> npt.NDArray[np.int64]:
    """The first triplet of each pair of an anchor and its positive, in the order in which they come."""
    pairs = np.stack([indices.anchors, indices.positives], axis=1)
    _, first = np.unique(pairs, axis=0, return_index=True)
    rows: npt.NDArray[np.int64] = np.sort(first).astype(np.int64)
    return rows


def fitting_pairs(vectors: npt.NDArray[np.float32], indices: TripletIndices) -> FittingPairs | None:
    """Each anchor once, and each of its positives once; None if there is no triplet."""
    if not len(indices):
        return None
    rows = pair_rows(indices)
    anchors, first, places = np.unique(indices.anchors[rows], return_index=True, return_inverse=True)
    return FittingPairs(
        originals=vectors[anchors],
        repaints=vectors[indices.positives[rows]],
        original_of_repaint=places.astype(np.int64),
        groups=indices.groups[rows][first],
        levels=indices.levels[rows],
    )
