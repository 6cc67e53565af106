"""Pictures of different works on different sides that look the same.

First by embedding, block by block: two unit vectors with a cosine of c lie sqrt(2 - 2 c) apart, and what an orthogonal projection makes of
them no further. So pairs that lie further apart than that in the first 64 principal components are ruled out there, at an eighth of the
work for 512 dimensions, and the cosine of the rest is computed exactly: what is found does not depend on the projection. Then by difference
hash: only pictures that the embedding finds near another are opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.audit.sided_pictures import SIDES
from trainer.data.pair_table import UNKNOWN
from trainer.quality.near_pairs import LEAST_COSINE, MOST_BITS
from trainer.quality.perceptual_hash import bit_distances

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from trainer.audit.sided_pictures import ContentHasher, PictureSpace, SidedPictures

    Numbers = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float32]

#: Rows and columns of a block: 16 MB of distances.
BLOCK = 2048
#: Principal components in which pairs are ruled out.
COMPONENTS = 64
#: Vectors from which the components are computed.
_SAMPLE = 4096
#: What rounding may add to a squared distance.
_SLACK = 1e-3
#: Pairs whose cosine is computed at once.
_AT_ONCE = 16_384
#: Near pairs that are kept to be looked at; of more it is only known how many there are.
MOST_PAIRS = 200_000
#: Pictures that are opened to compare their pixels, and originals that are all opened.
MOST_OPENED, MOST_HASHED = 4096, 1000
#: Up to how many bits of 64 the hash alone finds originals near: fewer than together with the embedding, for it errs more by itself.
MOST_BITS_ALONE = 2


@dataclass(frozen=True, kw_only=True)
class NearPictures:
    """Pairs of rows, pairs of originals first."""

    #: (n, 2) rows of `SidedPictures`.
    pairs: Numbers
    #: (n,) cosine, NaN where there are no vectors.
    cosines: Floats
    #: (n,) different bits of the difference hashes; -1 where they were not compared.
    bits: Numbers
    #: Pairs beyond those.
    beyond: int = 0

    def chosen(self, which: npt.NDArray[np.bool_]) -> NearPictures:
        """Those pairs alone."""
        return NearPictures(pairs=self.pairs[which], cosines=self.cosines[which], bits=self.bits[which])


def near_by_embedding(pictures: SidedPictures, space: PictureSpace, *, block: int = BLOCK) -> NearPictures:
    """The pairs across sides, of different works and different bytes, whose cosine is `LEAST_COSINE` or more."""
    rows = np.array([space.rows.get(content, UNKNOWN) for content in pictures.contents], dtype=np.int64)
    _, contents = np.unique(np.array(pictures.contents, dtype=np.str_), return_inverse=True)
    components = _Components(space.vectors)
    pairs: list[Numbers] = []
    cosines: list[Floats] = []
    kept = beyond = 0
    for found in _candidates(pictures.sides, rows, components, block):
        different = (pictures.groups[found[:, 0]] != pictures.groups[found[:, 1]]) & (contents[found[:, 0]] != contents[found[:, 1]])
        some = found[different]
        for start in range(0, len(some), _AT_ONCE):
            part = some[start : start + _AT_ONCE]
            near, their_cosines = _near(space.vectors, rows, part)
            room = MOST_PAIRS - kept
            pairs.append(near[:room])
            cosines.append(their_cosines[:room])
            kept += len(pairs[-1])
            beyond += max(0, len(near) - room)
    joined = np.concatenate([np.zeros((0, 2), np.int64), *pairs])
    order = np.lexsort((joined[:, 1], joined[:, 0], -pictures.originals[joined].sum(axis=1)))
    return NearPictures(
        pairs=joined[order],
        cosines=np.concatenate([np.zeros(0, np.float32), *cosines])[order],
        bits=np.full(len(joined), UNKNOWN, np.int64),
        beyond=beyond,
    )


def compared(pictures: SidedPictures, near: NearPictures, hashes: ContentHasher, *, most_opened: int = MOST_OPENED) -> NearPictures:
    """The same pairs with their different bits; pairs beyond the first pictures that may be opened stay uncompared."""
    first = np.sort(np.unique(near.pairs, return_index=True)[1])[:most_opened]
    opened = near.pairs.ravel()[first]
    can = np.isin(near.pairs, opened).all(axis=1)
    rows = np.unique(near.pairs[can])
    known = hashes([pictures.contents[row] for row in rows.tolist()]) if len(rows) else np.zeros(0, np.uint64)
    bits = near.bits.copy()
    one, other = (known[np.searchsorted(rows, near.pairs[can, side])] for side in (0, 1))
    bits[can] = bit_distances(one, other)
    return NearPictures(pairs=near.pairs, cosines=near.cosines, bits=bits, beyond=near.beyond)


def near_duplicates(near: NearPictures) -> npt.NDArray[np.bool_]:
    """Which pairs are near in both ways."""
    alike: npt.NDArray[np.bool_] = (near.bits != UNKNOWN) & (near.bits <= MOST_BITS)
    return alike


def near_by_hash(pictures: SidedPictures, hashes: ContentHasher) -> NearPictures:
    """The pairs of originals across sides, of different works and bytes, with nearly equal hashes; none if they are too many to open."""
    originals = np.flatnonzero(pictures.originals)
    found: list[Numbers] = []
    bits: list[Numbers] = []
    if 0 < len(originals) <= MOST_HASHED:
        known = hashes([pictures.contents[row] for row in originals.tolist()])
        for one, other in _pairs_of_sides():
            left, right = (np.flatnonzero(pictures.sides[originals] == side) for side in (one, other))
            distances = bit_distances(known[left][:, None], known[right][None, :])
            rows, columns = np.nonzero(distances <= MOST_BITS_ALONE)
            found.append(np.stack([originals[left[rows]], originals[right[columns]]], axis=1))
            bits.append(distances[rows, columns].astype(np.int64))
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *found])
    near = NearPictures(pairs=pairs, cosines=np.full(len(pairs), np.nan, np.float32), bits=np.concatenate([np.zeros(0, np.int64), *bits]))
    contents = np.array(pictures.contents, dtype=np.str_)
    groups, bytes_of = pictures.groups[pairs], contents[pairs]
    return near.chosen((groups[:, 0] != groups[:, 1]) & (bytes_of[:, 0] != bytes_of[:, 1]))


class _Components:
    """Vectors in their first principal components."""

    def __init__(self, vectors: Floats) -> None:
        self.points = vectors
        if vectors.shape[1] > COMPONENTS and len(vectors) > COMPONENTS:
            from sklearn.utils.extmath import randomized_svd

            sample = vectors[:: -(-len(vectors) // _SAMPLE)].astype(np.float32)
            basis = randomized_svd(sample - sample.mean(axis=0), n_components=COMPONENTS, random_state=0)[2]
            self.points = (vectors @ basis.T).astype(np.float32)
            self.points = self.points - self.points.mean(axis=0)

    def measured(self, rows: Numbers) -> tuple[Floats, Floats]:
        """Two arrays (n, k + 2) whose product of any two rows is minus half the squared distance of their points."""
        points = self.points[rows].astype(np.float32)
        halves, ones = -0.5 * (points**2).sum(axis=1, keepdims=True), np.ones((len(points), 1), np.float32)
        return np.concatenate([points, halves, ones], axis=1), np.concatenate([points, ones, halves], axis=1)


def _candidates(sides: Numbers, rows: Numbers, components: _Components, block: int) -> Iterator[Numbers]:
    """(n, 2) pairs of entries on different sides that the components do not rule out, block by block."""
    least = -0.5 * (2 - 2 * LEAST_COSINE + _SLACK)
    for one, other in _pairs_of_sides():
        left, right = (np.flatnonzero((sides == side) & (rows != UNKNOWN)) for side in (one, other))
        if not len(left) or not len(right):
            continue
        columns_of_right = components.measured(rows[right])[1]
        for top in range(0, len(left), block):
            upper = components.measured(rows[left[top : top + block]])[0]
            for start in range(0, len(right), block):
                near = upper @ columns_of_right[start : start + block].T >= least
                if near.any():
                    found, columns = np.nonzero(near)
                    yield np.stack([left[found + top], right[columns + start]], axis=1)


def _near(vectors: Floats, rows: Numbers, pairs: Numbers) -> tuple[Numbers, Floats]:
    """Those of the pairs that are near, and their cosines."""
    cosines: Floats = np.einsum("nd,nd->n", *(vectors[rows[pairs[:, side]]].astype(np.float32) for side in (0, 1)))
    enough = cosines >= LEAST_COSINE
    return pairs[enough], cosines[enough]


def _pairs_of_sides() -> list[tuple[int, int]]:
    return [(one, other) for one in range(len(SIDES)) for other in range(one + 1, len(SIDES))]
