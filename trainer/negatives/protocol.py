"""What a choice of negatives is: built from the works of one part, asked for one anchor at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from trainer.works import Work


class NegativeStrategy(Protocol):
    """Draws negatives for an anchor from the works that were given."""

    #: As it stands in a triplet set's recipe.
    name: ClassVar[str]

    def __init__(self, works: Sequence[Work]) -> None: ...

    def draw(self, anchor: Work, count: int, random: Random) -> list[Work]:
        """Up to `count` different negatives, fewer if there are not so many, never one of the anchor's own group."""
        ...
