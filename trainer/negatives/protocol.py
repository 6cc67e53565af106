"""What a negative strategy is: built from the candidates of one split, asked for one anchor at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from trainer.data.originals import GroupedOriginal


@dataclass(frozen=True, kw_only=True)
class NegativePool:
    """What negatives may be drawn from. An object, so that a field added later breaks no strategy."""

    #: The originals of one split, by key.
    originals: Sequence[GroupedOriginal]


class NegativeStrategy(Protocol):
    """Draws negatives for an anchor; registered under its name in the entry point group `paragone.negatives`."""

    def __init__(self, pool: NegativePool) -> None: ...

    def draw(self, anchor: GroupedOriginal, count: int, random: Random) -> list[GroupedOriginal]:
        """Up to `count` different negatives, fewer if there are not so many, never one of the anchor's own group.

        All chance comes from `random`, so that equal seeds draw equal triplets.
        """
        ...

    def explain_empty(self, anchor: GroupedOriginal) -> str:
        """Why `draw` found no negative for this anchor; counted by reason in the triplet set's recipe."""
        ...
