"""The nearest rows of other groups, block by block: 81,000 rows make 6.6 billion cosines, of which 64 MB are held at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

#: Rows and columns of a block of cosines.
_ROWS, _COLUMNS = 2048, 8192

#: Below every cosine: what is left out, and where there are fewer rows than asked for.
NOTHING = -2.0


def nearest_of_other_groups(
    vectors: npt.NDArray[np.float32], groups: npt.NDArray[np.int64], count: int, *, below: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """For each of N rows of unit length the `count` rows of other groups with the largest cosines under `below`, the nearest first.

    Args:
        vectors: (N, d).
        groups: (N,) the number of each row's group.
        count: how many to find.
        below: pictures at least so near are taken for the same one.

    Returns:
        Rows and cosines, both (N, count); a cosine of `NOTHING` where there are not so many.
    """
    import torch

    everything, of_row = torch.from_numpy(vectors), torch.from_numpy(groups)
    rows = np.zeros((len(vectors), count), dtype=np.int64)
    cosines = np.full((len(vectors), count), NOTHING, dtype=np.float32)
    for top in range(0, len(vectors), _ROWS):
        upper, upper_groups = everything[top : top + _ROWS], of_row[top : top + _ROWS, None]
        best = torch.full((len(upper), count), NOTHING)
        where = torch.zeros((len(upper), count), dtype=torch.int64)
        for left in range(0, len(vectors), _COLUMNS):
            block = upper @ everything[left : left + _COLUMNS].T
            block.masked_fill_((upper_groups == of_row[left : left + _COLUMNS]) | (block >= below), NOTHING)
            found, columns = block.topk(min(count, block.shape[1]), dim=1)
            best, chosen = torch.cat([best, found], dim=1).topk(count, dim=1)
            where = torch.cat([where, columns + left], dim=1).gather(1, chosen)
        rows[top : top + _ROWS], cosines[top : top + _ROWS] = where.numpy(), best.numpy()
    return _in_order(rows, cosines)


def _in_order(rows: npt.NDArray[np.int64], cosines: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The nearest first, and among equals, as far as float32 can tell, the first row."""
    order = np.lexsort((rows, -np.round(cosines, 6)))
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(cosines, order, axis=1)
