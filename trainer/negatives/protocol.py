"""What a negative strategy is: built from the candidates of one split, asked for one anchor at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence
    from random import Random

    import numpy as np
    import numpy.typing as npt

    from db.results.pairs import Repaint
    from trainer.data.originals import GroupedOriginal

    Rows = npt.NDArray[np.int64]

#: A negative is an original or a repaint of one.
Negative: TypeAlias = "GroupedOriginal | Repaint"


@dataclass(frozen=True, kw_only=True)
class NegativePool:
    """What negatives may be drawn from. An object, so that a field added later breaks no strategy."""

    #: The originals of one split, by key.
    originals: Sequence[GroupedOriginal]
    #: Their repaints, by original, level and ordinal.
    repaints: Sequence[Repaint] = ()
    #: Gives the vectors (n, d) of the originals at these places in `originals`; None where nobody knows any.
    vectors: Callable[[Rows], npt.NDArray[np.float32]] | None = None
    #: Gives the difference hashes (n,) of the originals at these places, for which it reads the pictures; None where they are out of reach.
    hashes: Callable[[Rows], npt.NDArray[np.uint64]] | None = None


class NegativeStrategy(Protocol):
    """Draws negatives for an anchor; registered under its name in the entry point group `paragone.negatives`."""

    def __init__(self, pool: NegativePool) -> None: ...

    def draw(self, anchor: GroupedOriginal, count: int, random: Random) -> Sequence[Negative]:
        """Up to `count` different negatives, fewer if there are not so many, never one of the anchor's own group.

        All chance comes from `random`, so that equal seeds draw equal triplets.
        """
        ...

    def explain_empty(self, anchor: GroupedOriginal) -> str:
        """Why `draw` found no negative for this anchor; counted by reason in the triplet set's recipe."""
        ...


@runtime_checkable
class RepaintNegativeStrategy(Protocol):
    """A strategy that looks at the positive too: what it offers beside `draw`, and is asked for instead."""

    def draw_for(self, anchor: GroupedOriginal, positive: Repaint, count: int, random: Random) -> Sequence[Negative]:
        """As `draw`, for the anchor and one of its repaints."""
        ...


@runtime_checkable
class CountsFallbacks(Protocol):
    """A strategy that draws otherwise where it has no negative of its kind, and tells so."""

    @property
    def fallbacks(self) -> Counter[str]:
        """How often it drew otherwise, by reason."""
        ...


def draws_of(strategy: NegativeStrategy) -> Callable[[GroupedOriginal, Repaint, int, Random], Sequence[Negative]]:
    """How this strategy is asked, whether it looks at the positive or not."""
    if isinstance(strategy, RepaintNegativeStrategy):
        return strategy.draw_for
    return lambda anchor, _positive, count, random: strategy.draw(anchor, count, random)
