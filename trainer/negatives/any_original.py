"""Any other original, whatever its style: works on a folder of one style, and is what other strategies fall back on."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from trainer.negatives.sampling import sample_allowed

if TYPE_CHECKING:
    from random import Random

    from trainer.data.originals import GroupedOriginal
    from trainer.negatives.protocol import NegativePool


class AnyNegatives:
    """Every original of another group is equally likely."""

    def __init__(self, pool: NegativePool) -> None:
        self._originals = pool.originals

    def draw(self, anchor: GroupedOriginal, count: int, random: Random) -> list[GroupedOriginal]:
        """Up to `count` different originals of other groups."""
        group = anchor.group_key
        return sample_allowed(self._originals, count, random, allowed=lambda other: other.group_key != group, key=attrgetter("key"))

    def explain_empty(self, anchor: GroupedOriginal) -> str:  # noqa: ARG002  # the reason is the same for all
        """Its split holds nothing but the anchor and copies of it."""
        return "no other original in its part"
