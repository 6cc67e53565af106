"""One of the originals that are nearest to the anchor, with a guard against what only seems to be another work.

The nearest neighbours of a work are where its unknown copies are. So an original is left out that is of the anchor's group, or as near to
it as near-duplicates are, `LEAST_COSINE` of `trainer.quality.near_pairs`. Within `MARGIN` below that the difference hash decides, with a
margin of its own; where no picture can be read, all within the margin are left out.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from trainer.data.embeddings import unit_length
from trainer.errors import NothingToTrainOn
from trainer.negatives.any_original import AnyNegatives
from trainer.negatives.near_originals import NOTHING, nearest_of_other_groups
from trainer.quality.near_pairs import LEAST_COSINE, MOST_BITS
from trainer.quality.perceptual_hash import bit_distances

if TYPE_CHECKING:
    from random import Random

    import numpy.typing as npt

    from trainer.data.originals import GroupedOriginal
    from trainer.negatives.protocol import NegativePool

    Rows = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

#: A negative is one of so many.
NEAREST = 10

#: How far below the cosine of near-duplicates, and above their bits, an original has to be to count as another work.
MARGIN, BIT_MARGIN = 0.05, 4


class NearestNegatives:
    """By the cosine of the training's own vectors; where the guard leaves none, any other original."""

    def __init__(self, pool: NegativePool) -> None:
        """Finds the neighbours of all originals of the pool. Raises `NothingToTrainOn` if the pool has no vectors."""
        if pool.vectors is None:
            raise NothingToTrainOn("negatives by `nearest` need the vectors of the originals, and there are none here")
        self.fallbacks: Counter[str] = Counter()
        self._any = AnyNegatives(pool)
        self._originals = pool.originals
        self._places = {original.key: place for place, original in enumerate(pool.originals)}
        self._near, self._kept = _guarded_neighbours(pool, pool.vectors(np.arange(len(pool.originals))))

    def draw(self, anchor: GroupedOriginal, count: int, random: Random) -> list[GroupedOriginal]:
        """Up to `count` of the `NEAREST` originals that the guard has left, or any where there is none."""
        place = self._places[anchor.key]
        near = self._near[place][self._kept[place]][:NEAREST].tolist()
        if near:
            return [self._originals[row] for row in random.sample(near, min(count, len(near)))]
        self.fallbacks["nearest: no original that is surely another work in its part, so any other original"] += 1
        return self._any.draw(anchor, count, random)

    def explain_empty(self, anchor: GroupedOriginal) -> str:
        """Its split holds nothing but the anchor and copies of it."""
        return self._any.explain_empty(anchor)


def _guarded_neighbours(pool: NegativePool, vectors: npt.NDArray[np.float32]) -> tuple[Rows, Mask]:
    """(N, 2 * NEAREST) neighbours, the nearest first, and which of them the guard lets through."""
    numbers: dict[str, int] = {}
    groups = np.array([numbers.setdefault(original.group_key, len(numbers)) for original in pool.originals], dtype=np.int64)
    sure = LEAST_COSINE - MARGIN
    below = sure if pool.hashes is None else LEAST_COSINE
    near, cosines = nearest_of_other_groups(unit_length(vectors), groups, 2 * NEAREST, below=below)
    kept: Mask = cosines > NOTHING
    doubtful = kept & (cosines >= sure)
    if pool.hashes is not None and doubtful.any():
        rows, columns = np.nonzero(doubtful)
        kept[rows, columns] = _bits_apart(pool, rows, near[rows, columns]) > MOST_BITS + BIT_MARGIN
    return near, kept


def _bits_apart(pool: NegativePool, one: Rows, other: Rows) -> npt.NDArray[np.uint8]:
    """In how many bits the hashes of these pairs differ."""
    assert pool.hashes is not None
    involved = np.unique(np.concatenate([one, other]))
    hashes = pool.hashes(involved)
    return bit_distances(hashes[np.searchsorted(involved, one)], hashes[np.searchsorted(involved, other)])
