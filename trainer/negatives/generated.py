"""Another work's repaint: a head that only tells generated pictures from painted ones is of no use against it."""

from __future__ import annotations

from collections import Counter, defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING

from trainer.negatives.any_original import AnyNegatives
from trainer.negatives.sampling import sample_allowed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from db.results.pairs import Repaint
    from trainer.data.originals import GroupedOriginal
    from trainer.negatives.protocol import Negative, NegativePool


class GeneratedNegatives:
    """Of the positive's level; where there is none, of any level, and where there is no repaint at all, any other original."""

    def __init__(self, pool: NegativePool) -> None:
        self.fallbacks: Counter[str] = Counter()
        self._any = AnyNegatives(pool)
        self._repaints = pool.repaints
        self._groups = {original.artwork_id: original.group_key for original in pool.originals}
        self._by_level: defaultdict[str, list[Repaint]] = defaultdict(list)
        for repaint in pool.repaints:
            self._by_level[repaint.level].append(repaint)

    def draw(self, anchor: GroupedOriginal, count: int, random: Random) -> Sequence[Negative]:
        """Up to `count` different repaints of other groups, of any level."""
        found = self._sample(self._repaints, anchor, count, random)
        if found:
            return found
        self.fallbacks["generated: no repaint of another work in its part, so any other original"] += 1
        return self._any.draw(anchor, count, random)

    def draw_for(self, anchor: GroupedOriginal, positive: Repaint, count: int, random: Random) -> Sequence[Negative]:
        """Up to `count` different repaints of other groups, of the positive's level where there are any."""
        found = self._sample(self._by_level.get(positive.level, []), anchor, count, random, but=positive.content_hash)
        if found:
            return found
        found = self._sample(self._repaints, anchor, count, random, but=positive.content_hash)
        if found:
            self.fallbacks["generated: no repaint of another work at its level in its part, so of another level"] += 1
            return found
        return self.draw(anchor, count, random)

    def explain_empty(self, anchor: GroupedOriginal) -> str:
        """Its split holds nothing but the anchor and copies of it."""
        return self._any.explain_empty(anchor)

    def _sample(self, candidates: Sequence[Repaint], anchor: GroupedOriginal, count: int, random: Random, but: str = "") -> list[Repaint]:
        group, groups = anchor.group_key, self._groups
        return sample_allowed(
            candidates,
            count,
            random,
            allowed=lambda other: groups[other.artwork_id] != group and other.content_hash != but,
            key=attrgetter("content_hash"),
        )
