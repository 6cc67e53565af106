"""What is on several sides by its name or its bytes: groups of copies, artists, equal files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.audit.sided_pictures import SIDES
from trainer.data.pair_table import UNKNOWN

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.audit.sided_pictures import SidedPictures

    Numbers = npt.NDArray[np.int64]


def shared_groups(pictures: SidedPictures) -> Numbers:
    """(n, 2) two pictures on different sides of each group that is on several."""
    return across_sides(pictures.groups, pictures.sides)


def shared_artists(pictures: SidedPictures) -> Numbers:
    """(n, 2) two pictures on different sides of each artist who is on several; unknown artists are nobody."""
    return across_sides(pictures.artists, pictures.sides)


def equal_contents(pictures: SidedPictures) -> Numbers:
    """(n, 2) two pictures on different sides of each file that several works share; that copies of one work do is no news."""
    _, contents = np.unique(np.array(pictures.contents, dtype=np.str_), return_inverse=True)
    pairs = across_sides(contents.astype(np.int64), pictures.sides)
    different: Numbers = pairs[pictures.groups[pairs[:, 0]] != pictures.groups[pairs[:, 1]]]
    return different


def across_sides(labels: Numbers, sides: Numbers) -> Numbers:
    """(n, 2) for each label that is on several sides its first row on two of them, by label; `UNKNOWN` is no label."""
    rows = np.flatnonzero(labels != UNKNOWN)
    placed, first = np.unique(labels[rows] * len(SIDES) + sides[rows], return_index=True)
    found = placed // len(SIDES)
    # Sides of one label are neighbours; of three sides the first two are enough.
    meets = np.flatnonzero(found[1:] == found[:-1])
    meets = meets[np.unique(found[meets], return_index=True)[1]]
    return np.stack([rows[first[meets]], rows[first[meets + 1]]], axis=1)
