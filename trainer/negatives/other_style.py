"""An original of another style: one that shares no style with any copy of the anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from trainer.data.originals import GroupedOriginal
    from trainer.negatives.protocol import NegativePool

#: Blind draws for each negative before all candidates are looked through.
_TRIES = 16


class OtherStyle:
    """An original of unknown style is never drawn: it may be of the anchor's own."""

    def __init__(self, pool: NegativePool) -> None:
        self._candidates = [original for original in pool.originals if original.styles]

    def draw(self, anchor: GroupedOriginal, count: int, random: Random) -> list[GroupedOriginal]:
        """Up to `count` different originals of other styles; none for an anchor whose own style is unknown."""
        if not anchor.styles or not self._candidates:
            return []
        drawn: dict[str, GroupedOriginal] = {}
        for _ in range(_TRIES * count):
            candidate = self._candidates[random.randrange(len(self._candidates))]
            if _differs(anchor, candidate):
                drawn.setdefault(candidate.key, candidate)
            if len(drawn) == count:
                return list(drawn.values())
        others = [candidate for candidate in self._candidates if _differs(anchor, candidate) and candidate.key not in drawn]
        return [*drawn.values(), *random.sample(others, min(count - len(drawn), len(others)))]

    def explain_empty(self, anchor: GroupedOriginal) -> str:
        """The anchor's style is unknown, or its split holds one style only."""
        return "no original of another style in its part" if anchor.styles else "style unknown"


def _differs(anchor: GroupedOriginal, other: GroupedOriginal) -> bool:
    return other.group_key != anchor.group_key and anchor.styles.isdisjoint(other.styles)
