"""Triplets as row numbers into the matrix of embeddings: what the loop and the evaluation compute on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from db.training import Triplet


@dataclass(frozen=True, kw_only=True)
class TripletIndices:
    """Parallel arrays (N,), one entry a triplet."""

    anchors: npt.NDArray[np.int64]
    positives: npt.NDArray[np.int64]
    negatives: npt.NDArray[np.int64]
    levels: npt.NDArray[np.str_]
    #: Number of the anchor's group of copies.
    groups: npt.NDArray[np.int64]
    #: Row of an original, anchor or negative, to the number of its group; a negative that is a repaint is none.
    group_of_row: dict[int, int]
    #: Triplets left out because an image has no embedding.
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.anchors)


def index_triplets(triplets: Iterable[Triplet], rows: Mapping[str, int], groups_by_key: Mapping[str, str]) -> TripletIndices:
    """Look up the rows; `groups_by_key` holds the group of each original, for negatives that are copies of another anchor."""
    triplets = list(triplets)
    whole = [t for t in triplets if t.anchor_hash in rows and t.positive_hash in rows and t.negative_hash in rows]
    numbers: dict[str, int] = {}
    group_of_row: dict[int, int] = {}
    for t in whole:
        anchor_group = numbers.setdefault(t.group_key, len(numbers))
        negative_group = numbers.setdefault(groups_by_key.get(t.negative_key, t.negative_key), len(numbers))
        if t.negative_image_id is None:
            group_of_row.setdefault(rows[t.negative_hash], negative_group)
        group_of_row[rows[t.anchor_hash]] = anchor_group
    return TripletIndices(
        anchors=np.array([rows[t.anchor_hash] for t in whole], dtype=np.int64),
        positives=np.array([rows[t.positive_hash] for t in whole], dtype=np.int64),
        negatives=np.array([rows[t.negative_hash] for t in whole], dtype=np.int64),
        levels=np.array([t.level for t in whole], dtype=np.str_),
        groups=np.array([numbers[t.group_key] for t in whole], dtype=np.int64),
        group_of_row=group_of_row,
        left_out=len(triplets) - len(whole),
    )
