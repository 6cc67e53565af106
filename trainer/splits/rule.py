"""What `--split` may name, and what every such rule can do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from trainer.splits.given import GivenSplit
from trainer.splits.ratio import SplitRatio

if TYPE_CHECKING:
    from trainer.data.dataset import EmbeddingDataset
    from trainer.splits.assignment import SplitAssignment, SplitUnit


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

    def assign(self, dataset: EmbeddingDataset, seed: int) -> SplitAssignment:
        """The split of each group; raises `NothingToTrainOn`."""
        ...


def parse_split(text: str) -> SplitRule:
    """Shares such as `80/20` or `80/10/10`, or the name of a split that came with the data; raises `ValueError`."""
    return GivenSplit(text) if text in set(GivenSplit) else SplitRatio.parse(text)


def disjoint_by(rule: SplitRule, unit: SplitUnit) -> SplitRule:
    """The rule, with this kept on one side; a split that came with the data stays what it is."""
    return replace(rule, unit=unit) if isinstance(rule, SplitRatio) else rule
