"""Several strategies by weights, such as `other-style:2,nearest:1,generated:1`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from math import gcd
from typing import TYPE_CHECKING

from trainer.errors import UnknownComponent
from trainer.negatives.protocol import CountsFallbacks, draws_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from db.results.pairs import Repaint
    from trainer.data.originals import GroupedOriginal
    from trainer.negatives.protocol import Negative, NegativePool, NegativeStrategy


class NegativeMixture:
    """Deals the strategies like cards, for each level from a pack of its own that holds each as often as it weighs.

    So after any number of draws each has its share, but for the pack that is being dealt. Where one has fewer negatives for an anchor than
    it was dealt, the others fill up.
    """

    def __init__(self, pool: NegativePool, parts: Mapping[str, tuple[Callable[[NegativePool], NegativeStrategy], int]]) -> None:
        self._strategies = {name: strategy(pool) for name, (strategy, _) in sorted(parts.items())}
        self._draws = {name: draws_of(strategy) for name, strategy in self._strategies.items()}
        self._pack = [name for name, (_, weight) in sorted(parts.items()) for _ in range(weight)]
        self._dealt: defaultdict[str, list[str]] = defaultdict(list)
        self._filled: Counter[str] = Counter()

    @property
    def fallbacks(self) -> Counter[str]:
        """Those of the strategies, and how often one had to fill up for another."""
        counted = Counter(self._filled)
        for strategy in self._strategies.values():
            if isinstance(strategy, CountsFallbacks):
                counted.update(strategy.fallbacks)
        return counted

    def draw(self, anchor: GroupedOriginal, count: int, random: Random) -> list[Negative]:
        """Up to `count` different negatives of the strategies whose turn it is, whatever the positive."""
        return self._draw(lambda name, some: self._strategies[name].draw(anchor, some, random), count, self._deal("", count, random))

    def draw_for(self, anchor: GroupedOriginal, positive: Repaint, count: int, random: Random) -> list[Negative]:
        """Up to `count` different negatives of the strategies whose turn it is at the positive's level."""
        dealt = self._deal(positive.level, count, random)
        return self._draw(lambda name, some: self._draws[name](anchor, positive, some, random), count, dealt)

    def explain_empty(self, anchor: GroupedOriginal) -> str:
        """What each strategy says of it."""
        return "; ".join(dict.fromkeys(strategy.explain_empty(anchor) for strategy in self._strategies.values()))

    def _deal(self, level: str, count: int, random: Random) -> Counter[str]:
        """How many negatives are each strategy's this time."""
        pack = self._dealt[level]
        while len(pack) < count:
            pack[:0] = random.sample(self._pack, len(self._pack))
        return Counter(pack.pop() for _ in range(count))

    def _draw(self, ask: Callable[[str, int], Sequence[Negative]], count: int, dealt: Counter[str]) -> list[Negative]:
        drawn: dict[str, Negative] = {}

        def take(name: str, share: int) -> bool:
            # As many more as are drawn already: then enough are left that differ from those.
            found = ask(name, share + len(drawn))
            new = [negative for negative in found if negative.content_hash not in drawn][:share]
            drawn.update({negative.content_hash: negative for negative in new})
            return len(new) == share

        short = [name for name, share in sorted(dealt.items()) if not take(name, share)]
        others = [name for name in self._draws if name not in short]
        while short and others and len(drawn) < count:
            filler, had = others.pop(0), len(drawn)
            take(filler, count - had)
            if len(drawn) > had:
                self._filled.update(f"{name}: fewer negatives than its share, filled up by {filler}" for name in short)
        return list(drawn.values())


def parse_mixture(text: str) -> dict[str, int]:
    """Name to weight, by name, in lowest terms; raises `UnknownComponent` unless weights are whole and from 1 to 999.

    A name without a weight weighs 1.
    """
    weights: dict[str, int] = {}
    for part in text.split(","):
        name, colon, number = (piece.strip() for piece in part.partition(":"))
        if not name or name in weights or (colon and not re.fullmatch(r"[1-9]\d{0,2}", number, re.ASCII)):
            raise UnknownComponent(
                f"{text!r} is no mixture of negative strategies: write names with weights up to 999, such as other-style:2,nearest:1"
            )
        weights[name] = int(number) if colon else 1
    divisor = gcd(*weights.values())
    return {name: weight // divisor for name, weight in sorted(weights.items())}
