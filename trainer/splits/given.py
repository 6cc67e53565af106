"""A split that came with the data, taken as it is; copies stay together, artists as whoever gave it kept them."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

from db.training import Split
from db.training.group_splits import LEAST_GROUPS, draw_splits
from trainer.errors import NothingToTrainOn
from trainer.splits.assignment import SplitAssignment, SplitUnit
from trainer.splits.ratio import VALIDATION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.data.dataset import EmbeddingDataset


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

    def assign(self, dataset: EmbeddingDataset, seed: int) -> SplitAssignment:
        """The split of each group as it was given; raises `NothingToTrainOn` if nothing was given to test on, or to train on."""
        if self.value not in dataset.given_splits:
            raise NothingToTrainOn(f"--split {self}: the data came with no such split: name shares, such as 80/20")
        given = {group: side for group, side in dataset.given_splits[self.value].items() if group in dataset.group_styles}
        sides = Counter(given.values())
        short = next((side for side in (Split.TEST, Split.TRAIN) if sides[side] < LEAST_GROUPS), None)
        if short is not None:
            counted = f"{sides[short]} different artworks with repaints to {short}"
            raise NothingToTrainOn(f"--split {self} gives {counted}, at least {LEAST_GROUPS} are needed: name shares, such as 80/20")
        whole = given if sides[Split.VALIDATION] else self._with_validation(given, dataset.group_styles, seed)
        return SplitAssignment(whole, SplitUnit.GIVEN, seed)

    def _with_validation(self, given: dict[str, Split], styles: Mapping[str, str], seed: int) -> dict[str, Split]:
        trained = {group: styles[group] for group, side in given.items() if side is Split.TRAIN}
        try:
            drawn = draw_splits(trained, test=self.validation, validation=0, random=Random(f"paragone-validation-1/{seed}/{self}"))
        except ValueError as error:
            raise NothingToTrainOn(f"--split {self}: {error}: name shares, such as 80/20") from None
        return given | {group: Split.VALIDATION for group, side in drawn.items() if side is Split.TEST}
