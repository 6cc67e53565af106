"""An original of the anchor's own style: what is told apart is the work, not the manner."""

from __future__ import annotations

from collections import Counter, defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING

from trainer.negatives.any_original import AnyNegatives
from trainer.negatives.sampling import sample_allowed

if TYPE_CHECKING:
    from random import Random

    from trainer.data.originals import GroupedOriginal
    from trainer.negatives.protocol import NegativePool


class SameStyleNegatives:
    """Shares a style with the anchor or a copy of it; where there is none, any other original."""

    def __init__(self, pool: NegativePool) -> None:
        self.fallbacks: Counter[str] = Counter()
        self._any = AnyNegatives(pool)
        self._by_style: defaultdict[str, list[GroupedOriginal]] = defaultdict(list)
        for original in pool.originals:
            for style in original.styles:
                self._by_style[style].append(original)
        self._by_styles: dict[frozenset[str], list[GroupedOriginal]] = {}

    def draw(self, anchor: GroupedOriginal, count: int, random: Random) -> list[GroupedOriginal]:
        """Up to `count` different originals of the anchor's styles, or of any where there is none."""
        group = anchor.group_key
        found = sample_allowed(
            self._of_styles(anchor.styles), count, random, allowed=lambda other: other.group_key != group, key=attrgetter("key")
        )
        if found:
            return found
        reason = "no other original of its style in its part" if anchor.styles else "style unknown"
        self.fallbacks[f"same-style: {reason}, so any other original"] += 1
        return self._any.draw(anchor, count, random)

    def explain_empty(self, anchor: GroupedOriginal) -> str:
        """Its split holds nothing but the anchor and copies of it."""
        return self._any.explain_empty(anchor)

    def _of_styles(self, styles: frozenset[str]) -> list[GroupedOriginal]:
        if len(styles) == 1:
            (style,) = styles
            return self._by_style.get(style, [])
        if styles not in self._by_styles:
            found = {original.key: original for style in sorted(styles) for original in self._by_style.get(style, [])}
            self._by_styles[styles] = list(found.values())
        return self._by_styles[styles]
