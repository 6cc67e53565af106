"""Which side of a split each group of copies falls on: seeded, stratified by style, exact in number.

Groups are laid out style by style, shuffled within each, and picked at even steps from a random start (systematic sampling). The share of
each style is thereby met within one group, however small the style, and the share of the whole exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from db.training import Split
from trainer.errors import NothingToTrainOn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: A split with fewer groups cannot hold an artwork and a negative of another group.
_LEAST = 2


@dataclass(frozen=True, kw_only=True)
class SplitRatio:
    """Percent of the groups to train on and to test on; validation is taken from the first."""

    train: int
    test: int
    #: Share of the training side by which early stopping decides.
    validation: float = 0.15

    @classmethod
    def parse(cls, text: str) -> SplitRatio:
        """Read `80/20`; raises `ValueError` unless it is two positive whole numbers that sum to 100."""
        match = re.fullmatch(r"(\d{1,2})/(\d{1,2})", text.strip())
        if match is None or int(match[1]) + int(match[2]) != 100 or "0" in (match[1], match[2]):  # noqa: PLR2004  # percent
            raise ValueError(f"{text!r} is no split: write train/test in percent, such as 80/20")
        return cls(train=int(match[1]), test=int(match[2]))

    def __str__(self) -> str:
        return f"{self.train}/{self.test}"

    @property
    def folder(self) -> str:
        """The split's name as a folder."""
        return f"{self.train}-{self.test}"


def split_groups(styles: Mapping[str, str], ratio: SplitRatio, seed: int) -> dict[str, Split]:
    """The split of each group, given each group's style ("" if unknown); depends on nothing but names, styles, ratio and seed.

    Raises:
        NothingToTrainOn: there are too few groups for three splits.
    """
    least = 3 * _LEAST
    if len(styles) < least:
        raise NothingToTrainOn(
            f"{len(styles)} different artworks with repaints are too few to split three ways: at least {least} are needed"
        )
    random = Random(f"paragone-split-1/{seed}/{ratio}/{ratio.validation}")
    line = _by_style(styles, random)
    test = set(_spread(line, _count(len(line), ratio.test / 100, 2 * _LEAST), random))
    rest = [group for group in line if group not in test]
    validation = set(_spread(rest, _count(len(rest), ratio.validation, _LEAST), random))
    return {group: Split.TEST if group in test else Split.VALIDATION if group in validation else Split.TRAIN for group in line}


def _by_style(styles: Mapping[str, str], random: Random) -> list[str]:
    """All groups, those of one style side by side; styles and groups each in a random order."""
    names = sorted(set(styles.values()))
    random.shuffle(names)
    place = {style: index for index, style in enumerate(names)}
    groups = sorted(styles)
    random.shuffle(groups)
    return sorted(groups, key=lambda group: place[styles[group]])


def _count(total: int, share: float, left_over: int) -> int:
    """`share` of `total`, rounded, but enough for this split and for those that follow."""
    return min(max(int(total * share + 0.5), _LEAST), total - left_over)


def _spread(line: Sequence[str], count: int, random: Random) -> list[str]:
    """`count` elements at even steps: any run of m neighbours gives m * count / n of them, rounded up or down."""
    start = random.random()
    return [line[int((index + start) * len(line) / count)] for index in range(count)]
