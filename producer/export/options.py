"""What an export is asked to be, and how its rows are divided."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

#: Rows of one file, or of one folder of images: at 1,024 px and JPEG some 600 MB.
ROWS_PER_SHARD = 1000

_HUNDRED = 100


class OriginalsAs(StrEnum):
    """In which form originals are exported."""

    #: The file as it was registered, byte by byte.
    AS_IS = "as-is"
    #: Upright RGB at the repaint's size, in the campaign's format and quality.
    PREPARED = "prepared"


@dataclass(frozen=True, kw_only=True)
class ExportSplit:
    """How rows are divided: not at all, as the catalogue has it, or by percents of the groups of copies."""

    #: Train, validation and test in percent; None unless they are drawn.
    percents: tuple[int, int, int] | None = None
    catalogue: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `none`, `catalogue`, `80/10/10` or `80/20`; raises `ValueError` for anything else."""
        if text in {"none", "catalogue"}:
            return cls(catalogue=text == "catalogue")
        parts = [int(part) for part in text.split("/")] if re.fullmatch(r"[1-9]\d?(/[1-9]\d?){1,2}", text) else []
        if sum(parts) != _HUNDRED:
            raise ValueError(f"{text!r} is no split: write none, catalogue, or train/validation/test in percent, such as 80/10/10")
        train, *middle, test = parts
        return cls(percents=(train, sum(middle), test))

    def __str__(self) -> str:
        if self.percents is None:
            return "catalogue" if self.catalogue else "none"
        return "/".join(str(part) for part in self.percents if part)


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """The options of `paragone export`."""

    #: A name in the entry point group `paragone.export_formats`.
    format: str = "parquet"
    #: The latest, if not given.
    campaign: str | None = None
    originals: OriginalsAs = OriginalsAs.AS_IS
    split: ExportSplit = ExportSplit()
    split_seed: int = 0
    styles: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    #: Only the first pairs.
    limit: int | None = None
    rows_per_shard: int = ROWS_PER_SHARD
    #: Replace an export of other rows or another form that is there.
    force: bool = False
    #: The licence of the data set, as the hub abbreviates it.
    license: str | None = None
    #: The data set's id on the hub, if it is pushed there, and whether it is private there.
    push_to: str | None = None
    private: bool = False
    #: A filter over scores and texts (`db.quality`); empty for all repaints.
    where: str = ""
