"""Which side of a split each group of copies falls on: seeded, stratified by style, exact in number; or as it was given with the data."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Protocol

from db.training import Split
from db.training.group_splits import LEAST_GROUPS, draw_splits
from trainer.errors import NothingToTrainOn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.data.dataset import EmbeddingDataset

#: Share of the training side by which early stopping decides, unless it was given with the data.
VALIDATION = 0.15


class SplitRule(Protocol):
    """How the groups of a dataset are divided."""

    @property
    def validation(self) -> float:
        """Share of the training side by which early stopping decides."""
        ...

    @property
    def folder(self) -> str:
        """The split's name as a folder."""
        ...

    def assign(self, dataset: EmbeddingDataset, seed: int) -> dict[str, Split]:
        """The split of each group; raises `NothingToTrainOn`."""
        ...


@dataclass(frozen=True, kw_only=True)
class SplitRatio:
    """Percent of the groups to train on and to test on; validation is taken from the first."""

    train: int
    test: int
    #: Share of the training side by which early stopping decides.
    validation: float = VALIDATION

    @classmethod
    def parse(cls, text: str) -> SplitRatio:
        """Read `80/20`; raises `ValueError` unless it is two positive whole numbers that sum to 100."""
        match = re.fullmatch(r"(\d{1,2})/(\d{1,2})", text.strip())
        if match is None or int(match[1]) + int(match[2]) != 100 or "0" in (match[1], match[2]):  # noqa: PLR2004  # percent
            raise ValueError(f"{text!r} is no split: write train/test in percent, such as 80/20, or catalogue")
        return cls(train=int(match[1]), test=int(match[2]))

    def __str__(self) -> str:
        return f"{self.train}/{self.test}"

    @property
    def folder(self) -> str:
        """The split's name as a folder."""
        return f"{self.train}-{self.test}"

    def assign(self, dataset: EmbeddingDataset, seed: int) -> dict[str, Split]:
        """The split of each group; raises `NothingToTrainOn` if there are too few."""
        return split_groups(dataset.group_styles, self, seed)


class GivenSplit(StrEnum):
    """A split that came with the data; a validation side is drawn from the training side where none was given."""

    #: The catalogue's own `subset`.
    CATALOGUE = "catalogue"
    #: The sides on which an export has its rows.
    EXPORT = "export"

    @property
    def validation(self) -> float:
        """Share of the training side by which early stopping decides, where no validation side was given."""
        return VALIDATION

    @property
    def folder(self) -> str:
        """The split's name as a folder."""
        return self.value

    def assign(self, dataset: EmbeddingDataset, seed: int) -> dict[str, Split]:
        """The split of each group as it was given; raises `NothingToTrainOn` if nothing was given to test on, or to train on."""
        if self.value not in dataset.given_splits:
            raise NothingToTrainOn(f"--split {self}: the data came with no such split: name shares, such as 80/20")
        given = {group: side for group, side in dataset.given_splits[self.value].items() if group in dataset.group_styles}
        sides = Counter(given.values())
        short = next((side for side in (Split.TEST, Split.TRAIN) if sides[side] < LEAST_GROUPS), None)
        if short is not None:
            counted = f"{sides[short]} different artworks with repaints to {short}"
            raise NothingToTrainOn(f"--split {self} gives {counted}, at least {LEAST_GROUPS} are needed: name shares, such as 80/20")
        return given if sides[Split.VALIDATION] else self._with_validation(given, dataset.group_styles, seed)

    def _with_validation(self, given: dict[str, Split], styles: Mapping[str, str], seed: int) -> dict[str, Split]:
        trained = {group: styles[group] for group, side in given.items() if side is Split.TRAIN}
        try:
            drawn = draw_splits(trained, test=self.validation, validation=0, random=Random(f"paragone-validation-1/{seed}/{self}"))
        except ValueError as error:
            raise NothingToTrainOn(f"--split {self}: {error}: name shares, such as 80/20") from None
        return given | {group: Split.VALIDATION for group, side in drawn.items() if side is Split.TEST}


def parse_split(text: str) -> SplitRule:
    """Shares such as `80/20`, or the name of a split that came with the data; raises `ValueError`."""
    return GivenSplit(text) if text in set(GivenSplit) else SplitRatio.parse(text)


def split_groups(styles: Mapping[str, str], ratio: SplitRatio, seed: int) -> dict[str, Split]:
    """The split of each group, given each group's style ("" if unknown); depends on nothing but names, styles, ratio and seed.

    Raises:
        NothingToTrainOn: there are too few groups for three splits.
    """
    least = 3 * LEAST_GROUPS
    if len(styles) < least:
        raise NothingToTrainOn(
            f"{len(styles)} different artworks with repaints are too few to split three ways: at least {least} are needed"
        )
    random = Random(f"paragone-split-1/{seed}/{ratio}/{ratio.validation}")
    return draw_splits(styles, test=ratio.test / 100, validation=ratio.validation, random=random)
