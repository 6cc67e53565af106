"""Pairs of near-duplicates among many pictures, found block by block, and the groups that the pairs form.

A pair must be near in two ways that err differently: by CLIP, which knows what is shown and forgives other pixels, and by the difference
hash, which knows where light and dark lie and forgives nothing else. Memory is the vectors, as float16, and one block of cosines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.quality.perceptual_hash import bit_distances

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]

#: Rows of a block: 4 MB of cosines.
BLOCK = 1024

#: From which cosine on, and up to how many of 64 bits, two pictures are near. Unrelated pictures differ in 32 bits on average.
LEAST_COSINE, MOST_BITS = 0.95, 8


@dataclass(frozen=True, kw_only=True)
class PictureSet:
    """N pictures among which near-duplicates are looked for."""

    #: (N, dimension), rows of unit length.
    vectors: npt.NDArray[np.float16]
    #: (N,) pictures of one family may be alike if exactly one of the two is an original: a repaint and its own original.
    families: npt.NDArray[np.int64]
    #: (N,) whether the picture is an original.
    originals: npt.NDArray[np.bool_]
    #: The difference hashes of the rows given; asked only for rows that CLIP finds near another.
    hashes: Callable[[Sequence[int]], npt.NDArray[np.uint64]]


class Groups:
    """Disjoint sets of rows, joined pair by pair (union-find with path halving, the smallest row as root)."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def root(self, row: int) -> int:
        """The smallest row of its group."""
        parent = self._parent
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    def join(self, one: int, other: int) -> None:
        """Make one group of both."""
        first, second = sorted((self.root(one), self.root(other)))
        self._parent[second] = first

    def apart(self, rows: Rows, columns: Rows) -> tuple[Rows, Rows]:
        """The pairs that are not in one group yet: of a thousand equal pictures few are, after their first block."""
        different = self._roots(rows) != self._roots(columns)
        return rows[different], columns[different]

    def members(self) -> list[list[int]]:
        """The groups of two and more, each in order, by their first row."""
        found: dict[int, list[int]] = {}
        for row in range(len(self._parent)):
            found.setdefault(self.root(row), []).append(row)
        return [rows for rows in found.values() if len(rows) > 1]

    def _roots(self, rows: Rows) -> Rows:
        unique, places = np.unique(rows, return_inverse=True)
        roots: Rows = np.array([self.root(row) for row in unique.tolist()], dtype=np.int64)[places]
        return roots


def near_duplicate_groups(pictures: PictureSet, *, block: int = BLOCK) -> list[list[int]]:
    """Rows that are near-duplicates of one another, directly or through others."""
    count = len(pictures.vectors)
    groups = Groups(count)
    for top in range(0, count, block):
        for left in range(top, count, block):
            rows, columns = groups.apart(*_near_by_clip(pictures, top, left, block))
            alike = _near_by_hash(pictures, rows, columns)
            for one, other in zip(rows[alike].tolist(), columns[alike].tolist(), strict=True):
                groups.join(one, other)
    return groups.members()


def _near_by_clip(pictures: PictureSet, top: int, left: int, block: int) -> tuple[Rows, Rows]:
    """The pairs of a block, the smaller row first, that are no repaint with its own original."""
    upper, other = (pictures.vectors[start : start + block].astype(np.float32) for start in (top, left))
    rows, columns = np.nonzero(upper @ other.T >= LEAST_COSINE)
    rows, columns = rows + top, columns + left
    own = (pictures.families[rows] == pictures.families[columns]) & (pictures.originals[rows] != pictures.originals[columns])
    kept = (rows < columns) & ~own
    return rows[kept], columns[kept]


def _near_by_hash(pictures: PictureSet, rows: Rows, columns: Rows) -> npt.NDArray[np.bool_]:
    """Which of the pairs the difference hash finds near too."""
    involved = np.unique(np.concatenate([rows, columns]))
    hashes = pictures.hashes(involved.tolist()) if len(involved) else np.zeros(0, np.uint64)
    distances = bit_distances(hashes[np.searchsorted(involved, rows)], hashes[np.searchsorted(involved, columns)])
    alike: npt.NDArray[np.bool_] = distances <= MOST_BITS
    return alike
