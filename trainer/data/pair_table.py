"""Originals and repaints as parallel arrays: what splits, negatives, metrics and probes compute on, without vectors and without pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from db.results.pairs import Repaint
    from trainer.data.originals import GroupedOriginal

    Numbers = npt.NDArray[np.int64]

#: The number of what is unknown: an artist or a style. It is equal to nothing, not even to itself.
UNKNOWN = -1

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class OriginalColumns:
    """Arrays (N,), one entry an original, in the order of their keys."""

    keys: tuple[str, ...]
    hashes: tuple[str, ...]
    #: Number of its group of copies.
    groups: Numbers
    #: Number of its artist, or `UNKNOWN`.
    artists: Numbers
    #: Every style known for it or for a copy of it.
    styles: tuple[frozenset[str], ...]
    #: Width over height.
    aspects: npt.NDArray[np.float64]
    #: The sentence about it, "" where there is none.
    captions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, kw_only=True)
class RepaintColumns:
    """Arrays (M,), one entry a repaint, by original, level and ordinal."""

    hashes: tuple[str, ...]
    #: Row of its original.
    originals: Numbers
    levels: npt.NDArray[np.str_]
    ordinals: Numbers
    seeds: tuple[int, ...]
    prompts: tuple[str, ...]
    #: The sentence about it, "" where there is none.
    captions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.hashes)


@dataclass(frozen=True, kw_only=True)
class PairTable:
    """The originals and repaints of a campaign, or of one side of a split."""

    originals: OriginalColumns
    repaints: RepaintColumns
    #: The name of each number in `originals.groups` and `originals.artists`.
    group_names: tuple[str, ...]
    artist_names: tuple[str, ...]

    @property
    def repaint_groups(self) -> Numbers:
        """(M,) the group of each repaint's original."""
        groups: Numbers = self.originals.groups[self.repaints.originals]
        return groups

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that occur, sorted."""
        return tuple(str(level) for level in np.unique(self.repaints.levels))

    def of_groups(self, groups: Sequence[str]) -> tuple[PairTable, Numbers, Numbers]:
        """The part with these groups, and the rows of its originals and of its repaints in this table."""
        wanted = np.isin(self.originals.groups, [number for number, name in enumerate(self.group_names) if name in set(groups)])
        originals = np.flatnonzero(wanted)
        repaints = np.flatnonzero(wanted[self.repaints.originals])
        return self.take(originals, repaints), originals, repaints

    def take(self, originals: Numbers, repaints: Numbers) -> PairTable:
        """The table of these rows; every repaint's original must be among them. Numbers of groups and artists stay what they are."""
        places = np.full(len(self.originals), UNKNOWN, dtype=np.int64)
        places[originals] = np.arange(len(originals))
        theirs = places[self.repaints.originals[repaints]]
        if (theirs == UNKNOWN).any():
            raise ValueError("a repaint without its original")
        one, other = self.originals, self.repaints
        return PairTable(
            originals=OriginalColumns(
                keys=_chosen(one.keys, originals),
                hashes=_chosen(one.hashes, originals),
                groups=one.groups[originals],
                artists=one.artists[originals],
                styles=_chosen(one.styles, originals),
                aspects=one.aspects[originals],
                captions=_chosen(one.captions, originals),
            ),
            repaints=RepaintColumns(
                hashes=_chosen(other.hashes, repaints),
                originals=theirs,
                levels=other.levels[repaints],
                ordinals=other.ordinals[repaints],
                seeds=_chosen(other.seeds, repaints),
                prompts=_chosen(other.prompts, repaints),
                captions=_chosen(other.captions, repaints),
            ),
            group_names=self.group_names,
            artist_names=self.artist_names,
        )


def pair_table(originals: Sequence[GroupedOriginal], repaints: Sequence[Repaint]) -> PairTable:
    """The table of these originals and of those repaints whose original is among them."""
    ordered = sorted(originals, key=lambda original: original.key)
    rows = {original.artwork_id: row for row, original in enumerate(ordered)}
    made = sorted((one for one in repaints if one.artwork_id in rows), key=lambda one: (rows[one.artwork_id], one.level, one.ordinal))
    groups = _numbered(original.group_key for original in ordered)
    artists = _numbered(original.artist for original in ordered if original.artist)
    captions = {repaint.artwork_id: repaint.caption or "" for repaint in made}
    return PairTable(
        originals=OriginalColumns(
            keys=tuple(original.key for original in ordered),
            hashes=tuple(original.content_hash for original in ordered),
            groups=np.array([groups[original.group_key] for original in ordered], dtype=np.int64),
            artists=np.array([artists.get(original.artist or "", UNKNOWN) for original in ordered], dtype=np.int64),
            styles=tuple(original.styles for original in ordered),
            aspects=np.array([original.aspect for original in ordered], dtype=np.float64),
            captions=tuple(captions.get(original.artwork_id, "") for original in ordered),
        ),
        repaints=RepaintColumns(
            hashes=tuple(repaint.content_hash for repaint in made),
            originals=np.array([rows[repaint.artwork_id] for repaint in made], dtype=np.int64),
            levels=np.array([repaint.level for repaint in made], dtype=np.str_),
            ordinals=np.array([repaint.ordinal for repaint in made], dtype=np.int64),
            seeds=tuple(repaint.seed for repaint in made),
            prompts=tuple(repaint.prompt for repaint in made),
            captions=tuple(repaint.recaption or "" for repaint in made),
        ),
        group_names=tuple(groups),
        artist_names=tuple(artists),
    )


def _numbered(names: Iterable[str]) -> dict[str, int]:
    """Each different name's number, in the order in which they come."""
    numbers: dict[str, int] = {}
    for name in names:
        numbers.setdefault(name, len(numbers))
    return numbers


def _chosen(values: Sequence[T], rows: Numbers) -> tuple[T, ...]:
    return tuple(values[row] for row in rows.tolist())
