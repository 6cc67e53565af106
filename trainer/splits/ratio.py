"""A split by shares: seeded, stratified by style, as near to the shares as whole artists (or exactly, by single artworks) allow.

What it computes with is imported when a split is drawn: the command line reads shares, and loads neither numpy nor Pillow for that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from db.training import Split
from db.training.group_splits import LEAST_GROUPS, draw_splits
from trainer.errors import NothingToTrainOn
from trainer.splits.assignment import SplitAssignment, SplitUnit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.data.dataset import EmbeddingDataset
    from trainer.splits.blocks import GroupBlock

#: Share of the training side by which early stopping decides, unless it was named or given with the data.
VALIDATION = 0.15

_SIDES = (Split.TRAIN, Split.VALIDATION, Split.TEST)


@dataclass(frozen=True, kw_only=True)
class SplitRatio:
    """Percent of the groups to train on, to validate on and to test on."""

    #: What is learned from; the validation side is carved from it where none is named.
    train: int
    test: int
    #: Percent of all groups by which early stopping decides; None for a share of the training side.
    validate: int | None = None
    #: What stays on one side, if there is enough of it for three.
    unit: SplitUnit = SplitUnit.ARTIST
    #: Pairs of groups that stay on one side whoever made them, because they look the same.
    joined: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> SplitRatio:
        """Read `80/20` or `80/10/10`; raises `ValueError` unless it is two or three positive whole numbers that sum to 100."""
        parts = [int(part) for part in text.strip().split("/")] if re.fullmatch(r"\d{1,2}(/\d{1,2}){1,2}", text.strip()) else []
        if not parts or min(parts) == 0 or sum(parts) != 100:  # noqa: PLR2004  # percent
            shares = "write train/test or train/validation/test in percent, such as 80/20 or 80/10/10, or catalogue"
            raise ValueError(f"{text!r} is no split: {shares}")
        return cls(train=parts[0], test=parts[-1], validate=parts[1] if len(parts) > len(_SIDES) - 1 else None)

    def __str__(self) -> str:
        return "/".join(str(share) for share in (self.train, self.validate, self.test) if share is not None)

    @property
    def validation(self) -> float:
        """Share of all but the test side by which early stopping decides."""
        return VALIDATION if self.validate is None else self.validate / (self.train + self.validate)

    @property
    def folder(self) -> str:
        """The split's name as a folder."""
        return str(self).replace("/", "-")

    def assign(self, dataset: EmbeddingDataset, seed: int) -> SplitAssignment:
        """The split of each group that has a repaint; raises `NothingToTrainOn` if there are too few."""
        from trainer.splits.blocks import artists_by_group

        return self.divide(dataset.group_styles, artists_by_group(dataset.originals), seed)

    def divide(self, styles: Mapping[str, str], artists: Mapping[str, frozenset[str]], seed: int) -> SplitAssignment:
        """The split of each group, given each group's style ("" if unknown) and artists; depends on nothing but these, shares and seed.

        Where there are too few artists for three sides it is by artwork, and a note says so.

        Raises:
            NothingToTrainOn: there are too few groups for three sides.
        """
        from trainer.splits.balance import LEAST_BLOCKS
        from trainer.splits.blocks import blocks_of

        _require_groups(len(styles))
        if self.unit is not SplitUnit.ARTIST:
            return self._by_artwork(styles, seed)
        blocks, least = blocks_of(styles, artists, self.joined), LEAST_BLOCKS * len(_SIDES)
        if not any(block.by_artist for block in blocks):
            return self._by_artwork(styles, seed, "no artist is known: this split is by artwork")
        if len(blocks) < least:
            few = f"{len(blocks)} artists are too few to be kept apart on three sides (at least {least} are needed)"
            return self._by_artwork(styles, seed, f"{few}: this split is by artwork, and artists are on several sides")
        unknown = sum(1 for group in styles if not artists.get(group))
        note = f"{unknown} artworks of unknown artists are kept apart each by itself: one artist may have made some on several sides"
        return SplitAssignment(self._balanced(blocks, styles, seed), SplitUnit.ARTIST, seed, (note,) if unknown else ())

    def _by_artwork(self, styles: Mapping[str, str], seed: int, *notes: str) -> SplitAssignment:
        if not self.joined:
            return SplitAssignment(split_groups(styles, self, seed), SplitUnit.ARTWORK, seed, notes)
        from trainer.splits.balance import LEAST_BLOCKS
        from trainer.splits.blocks import blocks_of

        blocks = blocks_of(styles, joined=self.joined)
        if len(blocks) < LEAST_BLOCKS * len(_SIDES):
            raise NothingToTrainOn(f"{len(blocks)} artworks that look different are too few to split three ways")
        return SplitAssignment(self._balanced(blocks, styles, seed), SplitUnit.ARTWORK, seed, notes)

    def _balanced(self, blocks: list[GroupBlock], styles: Mapping[str, str], seed: int) -> dict[str, Split]:
        from trainer.splits.balance import balance

        rest = 1 - self.test / 100
        shares = (rest * (1 - self.validation), rest * self.validation, self.test / 100)
        divided = balance(blocks, styles, shares, Random(f"paragone-blocks-1/{seed}/{self}/{self.validation}"))
        return {group: side for side, found in zip(_SIDES, divided, strict=True) for block in found for group in block.groups}

    def keeping(self, joined: tuple[tuple[str, str], ...]) -> SplitRatio:
        """The same, with these pairs of groups on one side each."""
        return replace(self, joined=joined)


def split_groups(styles: Mapping[str, str], ratio: SplitRatio, seed: int) -> dict[str, Split]:
    """The side of each group by artwork, given each group's style ("" if unknown); depends on nothing but names, styles, shares and seed.

    Raises:
        NothingToTrainOn: there are too few groups for three sides.
    """
    _require_groups(len(styles))
    random = Random(f"paragone-split-1/{seed}/{ratio}/{ratio.validation}")
    return draw_splits(styles, test=ratio.test / 100, validation=ratio.validation, random=random)


def _require_groups(count: int) -> None:
    least = LEAST_GROUPS * len(_SIDES)
    if count < least:
        raise NothingToTrainOn(f"{count} different artworks with repaints are too few to split three ways: at least {least} are needed")
