"""The pictures of a training as parallel arrays, each with the side it is used on: what the audit computes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from db.training import Split
from trainer.data.pair_table import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from db.training import Triplet
    from trainer.data.pair_table import PairTable

    Numbers = npt.NDArray[np.int64]

#: A side by its number.
SIDES = tuple(Split)


class ContentHasher(Protocol):
    """Gives difference hashes of pictures, opening them."""

    def __call__(self, contents: Sequence[str]) -> npt.NDArray[np.uint64]:
        """The hash of each picture, named by its content hash."""
        ...


@dataclass(frozen=True, kw_only=True)
class PictureSpace:
    """Vectors of one embedding space."""

    #: (V, dimension), rows of unit length.
    vectors: npt.NDArray[np.float32]
    #: Content hash to row; pictures that are not named have no vector.
    rows: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class SidedPictures:
    """Arrays (P,), one entry a picture on a side, originals first; a picture that is used on two sides is there twice."""

    #: Number in `SIDES`.
    sides: Numbers
    #: Number of its work's group of copies, and of its work's artist or `UNKNOWN`.
    groups: Numbers
    artists: Numbers
    originals: npt.NDArray[np.bool_]
    #: Content hash.
    contents: tuple[str, ...]
    #: The work's key, and for a repaint its level and ordinal.
    names: tuple[str, ...]
    group_names: tuple[str, ...]
    artist_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.contents)


def sided_pictures(table: PairTable, splits: Mapping[str, Split], triplets: Iterable[Triplet] = ()) -> SidedPictures:
    """Every picture whose group has a side, and whatever else the triplets use it on.

    Args:
        table: all originals and repaints.
        splits: the side of each group; pictures of other groups are on none.
        triplets: what the head is trained and judged by: a negative that was drawn from another side is on both.
    """
    number = {side: place for place, side in enumerate(SIDES)}
    side_of_group = np.array([number[splits[name]] if name in splits else UNKNOWN for name in table.group_names], dtype=np.int64)
    of_original, of_repaint = side_of_group[table.originals.groups], side_of_group[table.repaint_groups]
    drawn = _drawn_elsewhere(table, of_original, of_repaint, triplets)
    originals, original_sides = _rows(of_original, drawn[0])
    repaints, repaint_sides = _rows(of_repaint, drawn[1])
    works = np.concatenate([originals, table.repaints.originals[repaints]])
    return SidedPictures(
        sides=np.concatenate([original_sides, repaint_sides]),
        groups=table.originals.groups[works],
        artists=table.originals.artists[works],
        originals=np.arange(len(works)) < len(originals),
        contents=tuple(
            [table.originals.hashes[row] for row in originals.tolist()] + [table.repaints.hashes[row] for row in repaints.tolist()]
        ),
        names=tuple([table.originals.keys[row] for row in originals.tolist()] + [_name(table, row) for row in repaints.tolist()]),
        group_names=table.group_names,
        artist_names=table.artist_names,
    )


def _name(table: PairTable, repaint: int) -> str:
    made = table.repaints
    return f"{table.originals.keys[made.originals[repaint]]} {made.levels[repaint]} {made.ordinals[repaint]}"


def _drawn_elsewhere(
    table: PairTable, of_original: Numbers, of_repaint: Numbers, triplets: Iterable[Triplet]
) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Originals and repaints that triplets use on another side than their group's, as (row, side)."""
    number = {side: place for place, side in enumerate(SIDES)}
    by_key = {key: row for row, key in enumerate(table.originals.keys)}
    by_hash: dict[str, list[int]] = {}
    for row, content in enumerate(table.repaints.hashes):
        by_hash.setdefault(content, []).append(row)
    originals: set[tuple[int, int]] = set()
    repaints: set[tuple[int, int]] = set()
    for triplet in triplets:
        side = number[triplet.part]
        for key in (triplet.anchor_key, triplet.negative_key):
            if key in by_key and of_original[by_key[key]] != side:
                originals.add((by_key[key], side))
        for content in (triplet.positive_hash, triplet.negative_hash):
            rows = by_hash.get(content, ())
            # Equal repaints of several works are one picture in a triplet: it is in place if it is for one of them.
            if rows and all(of_repaint[row] != side for row in rows):
                repaints.add((rows[0], side))
    return originals, repaints


def _rows(sides: Numbers, elsewhere: set[tuple[int, int]]) -> tuple[Numbers, Numbers]:
    """The rows that have a side, those of `elsewhere` after them, and the side of each."""
    known, more = np.flatnonzero(sides != UNKNOWN), np.array(sorted(elsewhere), dtype=np.int64).reshape(-1, 2)
    return np.concatenate([known, more[:, 0]]), np.concatenate([sides[known], more[:, 1]])
