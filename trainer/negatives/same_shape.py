"""An original of the anchor's own shape: a repaint has its original's, so that shape alone tells negatives of other shapes apart."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from typing import TYPE_CHECKING

from trainer.metrics.negatives import SAME_SHAPE
from trainer.negatives.any_original import AnyNegatives
from trainer.negatives.sampling import sample_allowed

if TYPE_CHECKING:
    from random import Random

    from trainer.data.originals import GroupedOriginal
    from trainer.negatives.protocol import NegativePool


class SameShapeNegatives:
    """Its width over height is the anchor's within `SAME_SHAPE`; where there is none, any other original."""

    def __init__(self, pool: NegativePool) -> None:
        self.fallbacks: Counter[str] = Counter()
        self._any = AnyNegatives(pool)
        self._ordered = sorted(pool.originals, key=lambda original: (original.aspect, original.key))
        self._aspects = [original.aspect for original in self._ordered]

    def draw(self, anchor: GroupedOriginal, count: int, random: Random) -> list[GroupedOriginal]:
        """Up to `count` different originals of the anchor's shape, or of any where there is none."""
        ordered, group = self._ordered, anchor.group_key
        low = bisect_left(self._aspects, anchor.aspect / (1 + SAME_SHAPE))
        high = bisect_right(self._aspects, anchor.aspect * (1 + SAME_SHAPE))
        places = sample_allowed(
            range(low, high),
            count,
            random,
            allowed=lambda place: ordered[place].group_key != group,
            key=lambda place: ordered[place].key,
        )
        if places:
            return [ordered[place] for place in places]
        self.fallbacks["same-shape: no other original of its shape in its part, so any other original"] += 1
        return self._any.draw(anchor, count, random)

    def explain_empty(self, anchor: GroupedOriginal) -> str:
        """Its split holds nothing but the anchor and copies of it."""
        return self._any.explain_empty(anchor)
