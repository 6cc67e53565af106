"""Which originals and repaints are negatives of an original, by kind: one mask rule a kind, no draw."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from trainer.data.pair_table import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from trainer.data.pair_table import OriginalColumns, PairTable
    from trainer.metrics.similarities import Block

    Mask = npt.NDArray[np.bool_]

#: Originals that `NegativeKind.NEAREST` takes.
NEAREST = 10

#: Two shapes are the same within this share of width over height. A repaint's sides are rounded to the grid of its generator (8 pixels: up
#: to 0.8 % of a side of 512), so that nothing closer can be told from an original's own repaint by its shape.
SAME_SHAPE = 0.02


class NegativeKind(StrEnum):
    """What a repaint's similarity to its original is compared with. Never a picture of the original's own group of copies."""

    #: Originals that share no style with any copy of it; of both some style is known.
    OTHER_STYLE = "other-style"
    #: Originals that share a style with it.
    SAME_STYLE = "same-style"
    #: Originals of its artist.
    SAME_ARTIST = "same-artist"
    #: Repaints, at the same level, of other originals.
    GENERATED = "generated"
    #: The originals nearest to it by a reference, usually the frozen backbone.
    NEAREST = "nearest"
    #: All other originals.
    ANY = "any"


@dataclass(frozen=True, kw_only=True)
class NegativeSet:
    """A kind of negatives, all of them or only those of the original's own shape."""

    kind: NegativeKind
    #: Only those whose width over height is the original's within `tolerance`: what the frame's shape alone can not tell apart.
    same_shape: bool = False
    tolerance: float = SAME_SHAPE

    @property
    def name(self) -> str:
        """As a column is headed: "same-shape" for any negative of the same shape, "other-style, same-shape" for a combination."""
        if not self.same_shape:
            return self.kind.value
        return "same-shape" if self.kind is NegativeKind.ANY else f"{self.kind.value}, same-shape"


#: The headline: all other originals of the same shape, which the frame's shape does not give away.
HEADLINE = NegativeSet(kind=NegativeKind.ANY, same_shape=True)

#: The columns of a table of triplet accuracies.
COLUMNS = (HEADLINE, *(NegativeSet(kind=kind) for kind in NegativeKind))


class NegativeMasks:
    """The masks of one table: `of` gives those of one original."""

    def __init__(self, table: PairTable) -> None:
        self.originals = table.originals
        self._styles = _style_columns(table.originals)
        self._of_known_style: Mask = np.logical_or.reduce(self._styles, axis=0)
        self._rules: dict[NegativeKind, Callable[[int], Mask]] = {
            NegativeKind.OTHER_STYLE: self.other_style,
            NegativeKind.SAME_STYLE: self.same_style,
            NegativeKind.SAME_ARTIST: self.same_artist,
        }

    def of(self, row: int, negatives: NegativeSet, reference: Block | None = None) -> Mask:
        """(N,) which originals are negatives of the original in this row; for `GENERATED`, whose repaints are.

        Args:
            row: The original.
            negatives: The kind, and whether only those of its shape.
            reference: (N,) its similarities by the reference, for `NEAREST`: equal ones are taken in the order of their rows.

        Raises:
            ValueError: `NEAREST` without a reference.
        """
        chosen: Mask = self.originals.groups != self.originals.groups[row]
        if negatives.kind in self._rules:
            chosen &= self._rules[negatives.kind](row)
        if negatives.same_shape:
            chosen &= self.same_shape(row, negatives.tolerance)
        if negatives.kind is NegativeKind.NEAREST:
            if reference is None:
                raise ValueError("negatives of the kind nearest need a reference: the similarities of the frozen backbone, for example")
            chosen = nearest(reference, chosen, NEAREST)
        return chosen

    def other_style(self, row: int) -> Mask:
        """(N,) no style in common; none where either style is unknown."""
        known = self._of_known_style
        return known & ~self.same_style(row) if known[row] else np.zeros_like(known)

    def same_style(self, row: int) -> Mask:
        """(N,) some style in common."""
        common: Mask = np.logical_or.reduce(self._styles[self._styles[:, row]], axis=0)
        return common

    def same_artist(self, row: int) -> Mask:
        """(N,) the same artist; none where it is unknown."""
        artist = self.originals.artists[row]
        theirs: Mask = self.originals.artists == artist if artist != UNKNOWN else np.zeros_like(self._of_known_style)
        return theirs

    def same_shape(self, row: int, tolerance: float = SAME_SHAPE) -> Mask:
        """(N,) width over height within this share of the original's, either way round."""
        return same_shape(self.originals.aspects[row], self.originals.aspects, tolerance)


def same_shape(aspect: float, aspects: npt.NDArray[np.float64], tolerance: float = SAME_SHAPE) -> Mask:
    """max(w/h, w'/h') <= (1 + tolerance) min(w/h, w'/h')."""
    chosen: Mask = np.maximum(aspects, aspect) <= (1 + tolerance) * np.minimum(aspects, aspect)
    return chosen


def nearest(reference: Block, candidates: Mask, count: int) -> Mask:
    """(N,) the `count` candidates most similar by the reference, the earlier row first where it can not tell them apart."""
    rows = np.flatnonzero(candidates)
    chosen: Mask = np.zeros(len(candidates), dtype=np.bool_)
    if len(rows) > count:
        values = reference[rows]
        last = np.partition(values, -count)[-count]
        above = rows[values > last]
        rows = np.concatenate([above, rows[values == last][: count - len(above)]])
    chosen[rows] = True
    return chosen


def _style_columns(originals: OriginalColumns) -> Mask:
    """(styles, N): which original is known by which style."""
    names = sorted({style for styles in originals.styles for style in styles})
    numbers = {name: number for number, name in enumerate(names)}
    found: Mask = np.zeros((len(names), len(originals)), dtype=np.bool_)
    for row, styles in enumerate(originals.styles):
        found[[numbers[style] for style in styles], row] = True
    return found
