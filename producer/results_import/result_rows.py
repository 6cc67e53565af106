"""The rows of a results file, each fact checked on its own."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from producer.cleaning.empty_cells import filled
from producer.readers.cells import clean_cell
from producer.readers.columns import column_names
from producer.readers.delimited import read_cells, read_header
from producer.results_import.columns import find_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

#: What a level may be called, and how long the database keeps such a name.
_LEVEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
#: Seeds are kept as signed numbers of 64 bits, variations of 32.
_MOST = {"seed": 2**63 - 1, "ordinal": 2**31 - 1}


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultRow:
    """One row; a fact that it does not tell is empty or None."""

    #: Its position among the data rows, from 1.
    number: int
    original: str
    caption: str
    draft: str
    prompt: str
    repaint: str
    level: str
    recaption: str
    seed: int | None
    ordinal: int | None
    #: What is wrong with one of its cells; empty if nothing is.
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class ResultsFile:
    """A results file whose columns are known."""

    path: Path
    #: Our names of facts to the file's columns.
    columns: Mapping[str, str]
    #: All columns, in their order.
    names: Sequence[str]

    @property
    def unread(self) -> list[str]:
        """Columns that are not read."""
        read = set(self.columns.values())
        return [name for name in self.names if name and name not in read]

    def rows(self) -> Iterator[ResultRow]:
        """All rows, in the order of the file; raises `CatalogueUnreadable`."""
        positions = {ours: self.names.index(theirs) for ours, theirs in self.columns.items()}
        for number, cells in enumerate(read_cells(self.path, path_column=lambda _: positions.get("original")), start=1):
            yield _row(number, {ours: _cell(cells[at]) for ours, at in positions.items() if at < len(cells)})


def open_results(path: Path, given: Mapping[str, str]) -> ResultsFile:
    """The file with its columns; raises `CatalogueUnreadable`, `ResultsUnreadable`, `WrongUse`."""
    names = column_names(path, read_header(path).names)
    return ResultsFile(path=path, columns=find_columns(names, given), names=names)


def level_fault(level: str) -> str:
    """Why this cannot be the name of a level; empty if it can, or is empty."""
    if not level or _LEVEL.fullmatch(level):
        return ""
    return f"{level[:40]!r} cannot be a level: use letters, digits, dots, dashes and underscores, at most 32"


def _cell(text: str) -> str:
    return filled(clean_cell(text, Counter()))


def _row(number: int, cells: Mapping[str, str]) -> ResultRow:
    faults: list[str] = []
    level = cells.get("level", "").casefold().replace(" ", "-")
    if fault := level_fault(level):
        faults.append(fault)
    numbers = {name: _number(name, cells.get(name, ""), faults) for name in _MOST}
    texts = {name: cells.get(name, "") for name in ("original", "caption", "draft", "prompt", "repaint", "recaption")}
    return ResultRow(number=number, **texts, level=level, seed=numbers["seed"], ordinal=numbers["ordinal"], fault="; ".join(faults))


def _number(name: str, text: str, faults: list[str]) -> int | None:
    if not text:
        return None
    whole = re.fullmatch(r"(\d{1,19})(?:\.0+)?", text, re.ASCII)  # tables with gaps write whole numbers as 42.0
    if whole is None or int(whole[1]) > _MOST[name]:
        faults.append(f"the {name} {text[:40]!r} is no number from 0 to {_MOST[name]}")
        return None
    return int(whole[1])
