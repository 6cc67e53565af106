"""Which rows an export holds and on which side of its split each is: read once, and kept as ids."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from db.results.export_rows import rows_of, select_images
from db.training.group_splits import draw_splits, splits_by_subset
from producer.errors import WrongUse
from producer.export.errors import ExportRefused
from producer.export.record import models_of

if TYPE_CHECKING:
    from db.engine import Database
    from db.results.export_rows import ExportRow, ExportSelection
    from db.training import Split
    from producer.export.options import ExportSplit

#: The side of all rows where nothing is split, and the order of the sides.
TRAIN = "train"
SIDES = (TRAIN, "validation", "test")
#: Tokens that one bar of a histogram stands for.
TOKENS_PER_BIN = 5

#: What is no fact of a row: ids and places differ between databases and hosts.
_NOT_COUNTED = {"image_id", "link", "text_models"}


@dataclass(kw_only=True)
class ExportStatistics:
    """What the card tells of the rows."""

    levels: Counter[str] = field(default_factory=Counter)
    styles: Counter[str] = field(default_factory=Counter)
    #: (stage, model, revision) to rows.
    models: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    #: Lower end of a bin to prompts, before and after they were cut to the generator's limit.
    draft_tokens: Counter[int] = field(default_factory=Counter)
    prompt_tokens: Counter[int] = field(default_factory=Counter)
    #: (width, height) of repaints to rows.
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)

    def add(self, row: ExportRow) -> None:
        """Count one row in."""
        self.levels[row.level] += 1
        self.styles[row.style or "unknown"] += 1
        self.draft_tokens[row.draft_tokens // TOKENS_PER_BIN * TOKENS_PER_BIN] += 1
        self.prompt_tokens[row.prompt_tokens // TOKENS_PER_BIN * TOKENS_PER_BIN] += 1
        self.sizes[row.repaint_width, row.repaint_height] += 1
        for stage, made in models_of(row).items():
            self.models[stage, made.get("model", ""), made.get("revision", "")] += 1


@dataclass(frozen=True, kw_only=True)
class ExportPlan:
    """The rows of an export, as ids of images: eight bytes a row."""

    #: Side to its images, in the order of rows; sides without rows are not in it.
    sides: dict[str, array[int]]
    #: SHA-256 over all facts of all rows, in their order.
    snapshot: str
    groups: int
    statistics: ExportStatistics

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(map(len, self.sides.values()))


def plan_export(database: Database, selection: ExportSelection, split: ExportSplit, seed: int) -> ExportPlan:
    """Read all rows once, in order. What is kept grows by 24 bytes a row, and by the name of each group of copies.

    Raises:
        ExportRefused: there are no rows, or too few groups for the split.
    """
    digest, statistics, groups = hashlib.sha256(b"paragone-export-1\n"), ExportStatistics(), _Groups()
    ids, numbers = select_images(database, selection), array("l")
    if not ids:
        raise ExportRefused(_nothing(selection))
    for row in rows_of(database, ids):
        digest.update(_facts(row))
        statistics.add(row)
        numbers.append(groups.number(row))
    side_of = groups.sides(split, seed)
    sides = {side: array("q") for side in SIDES}
    for image_id, number in zip(ids, numbers, strict=True):
        sides[side_of[number]].append(image_id)
    kept = {side: images for side, images in sides.items() if images}
    return ExportPlan(sides=kept, snapshot=digest.hexdigest(), groups=len(groups), statistics=statistics)


class _Groups:
    """The groups of copies by number, with what decides on their sides."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._styles: list[str] = []
        self._subsets: list[frozenset[str | None]] = []
        #: Each set of subsets once, however many groups have it.
        self._shared: dict[frozenset[str | None], frozenset[str | None]] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, row: ExportRow) -> int:
        """The number of the row's group; the style of its first artwork is the group's."""
        number = self._numbers.setdefault(row.group_key, len(self._numbers))
        if number == len(self._styles):
            self._styles.append(row.style or min(row.styles, default=""))
            self._subsets.append(frozenset())
        subsets = self._subsets[number] | {row.subset}
        self._subsets[number] = self._shared.setdefault(subsets, subsets)
        return number

    def sides(self, split: ExportSplit, seed: int) -> list[str]:
        """Number of a group to its side."""
        if split.catalogue:
            return self._listed(splits_by_subset((group, subset) for group, n in self._numbers.items() for subset in self._subsets[n]))
        if split.percents is None:
            return [TRAIN] * len(self)
        train, validation, test = split.percents
        styles = dict(zip(self._numbers, self._styles, strict=True))
        random = Random(f"paragone-export-split-1/{seed}/{split}")
        try:
            return self._listed(draw_splits(styles, test=test / 100, validation=validation / (train + validation), random=random))
        except ValueError as error:
            raise WrongUse(f"--split {split}: {error}: use --split none") from None

    def _listed(self, splits: dict[str, Split]) -> list[str]:
        return [splits[group].value for group in self._numbers]


def _facts(row: ExportRow) -> bytes:
    facts: dict[str, Any] = {name: value for name, value in vars(row).items() if name not in _NOT_COUNTED}
    return json.dumps([facts, models_of(row)], sort_keys=True, default=str).encode() + b"\n"


def _nothing(selection: ExportSelection) -> str:
    if selection.styles or selection.levels or selection.where is not None:
        return "no repaint of the campaign has that style, that level and what else was asked for: there is nothing to export"
    return "the campaign has no repaint yet, so there is nothing to export: run `paragone work`"
