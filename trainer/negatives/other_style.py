"""An original of another style: one that shares no style with any copy of the anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from trainer.works import Work

#: Blind draws for each negative before all works are looked through.
_TRIES = 16


class OtherStyle:
    """A work of unknown style is never drawn: it may be of the anchor's own."""

    name: ClassVar[str] = "other-style"

    def __init__(self, works: Sequence[Work]) -> None:
        self._works = [work for work in works if work.styles]

    def draw(self, anchor: Work, count: int, random: Random) -> list[Work]:
        """Up to `count` different works of other styles; none for an anchor whose own style is unknown."""
        if not anchor.styles or not self._works:
            return []
        drawn: dict[str, Work] = {}
        for _ in range(_TRIES * count):
            work = self._works[random.randrange(len(self._works))]
            if _differs(anchor, work):
                drawn.setdefault(work.key, work)
            if len(drawn) == count:
                return list(drawn.values())
        others = [work for work in self._works if _differs(anchor, work) and work.key not in drawn]
        return [*drawn.values(), *random.sample(others, min(count - len(drawn), len(others)))]


def _differs(anchor: Work, other: Work) -> bool:
    return other.group_key != anchor.group_key and anchor.styles.isdisjoint(other.styles)
