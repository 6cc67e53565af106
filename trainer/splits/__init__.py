"""Which side of a split each group of copies is on: drawn by shares, in folds, or as it came with the data."""

from __future__ import annotations

from trainer.splits.assignment import SplitAssignment, SplitUnit
from trainer.splits.cross_fitting import folds
from trainer.splits.given import GivenSplit
from trainer.splits.ratio import VALIDATION, SplitRatio, split_groups
from trainer.splits.rule import SplitRule, disjoint_by, parse_split

__all__ = [
    "VALIDATION",
    "GivenSplit",
    "SplitAssignment",
    "SplitRatio",
    "SplitRule",
    "SplitUnit",
    "disjoint_by",
    "folds",
    "parse_split",
    "split_groups",
]
