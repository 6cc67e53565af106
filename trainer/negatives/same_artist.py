"""Another work of the anchor's artist."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING

from trainer.negatives.same_style import SameStyleNegatives
from trainer.negatives.sampling import sample_allowed

if TYPE_CHECKING:
    from random import Random

    from trainer.data.originals import GroupedOriginal
    from trainer.negatives.protocol import NegativePool


class SameArtistNegatives:
    """By the artist's name as it is written; where there is no other work of it, as `same-style`."""

    def __init__(self, pool: NegativePool) -> None:
        self._same_style = SameStyleNegatives(pool)
        self.fallbacks = self._same_style.fallbacks
        self._by_artist: defaultdict[str, list[GroupedOriginal]] = defaultdict(list)
        for original in pool.originals:
            if original.artist:
                self._by_artist[original.artist].append(original)

    def draw(self, anchor: GroupedOriginal, count: int, random: Random) -> list[GroupedOriginal]:
        """Up to `count` different works of the anchor's artist, or of its style where there is none."""
        group, works = anchor.group_key, self._by_artist.get(anchor.artist or "", [])
        found = sample_allowed(works, count, random, allowed=lambda other: other.group_key != group, key=attrgetter("key"))
        if found:
            return found
        reason = "no other work of its artist in its part" if anchor.artist else "artist unknown"
        self.fallbacks[f"same-artist: {reason}, so same-style"] += 1
        return self._same_style.draw(anchor, count, random)

    def explain_empty(self, anchor: GroupedOriginal) -> str:
        """Its split holds nothing but the anchor and copies of it."""
        return self._same_style.explain_empty(anchor)
