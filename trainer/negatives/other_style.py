"""An original of another style: one that shares no style with any copy of the anchor."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from trainer.negatives.sampling import sample_allowed

if TYPE_CHECKING:
    from random import Random

    from trainer.data.originals import GroupedOriginal
    from trainer.negatives.protocol import NegativePool


class OtherStyle:
    """An original of unknown style is never drawn: it may be of the anchor's own."""

    def __init__(self, pool: NegativePool) -> None:
        self._candidates = [original for original in pool.originals if original.styles]

    def draw(self, anchor: GroupedOriginal, count: int, random: Random) -> list[GroupedOriginal]:
        """Up to `count` different originals of other styles; none for an anchor whose own style is unknown."""
        if not anchor.styles:
            return []
        group, styles = anchor.group_key, anchor.styles
        return sample_allowed(
            self._candidates,
            count,
            random,
            allowed=lambda other: other.group_key != group and styles.isdisjoint(other.styles),
            key=attrgetter("key"),
        )

    def explain_empty(self, anchor: GroupedOriginal) -> str:
        """The anchor's style is unknown, or its split holds one style only."""
        return "no original of another style in its part" if anchor.styles else "style unknown"
