"""From CSV records to catalogue rows: which column holds what, and how many of its cells are empty."""

from __future__ import annotations

from collections import Counter
from sys import intern
from typing import TYPE_CHECKING

from producer.readers.catalogue import CatalogueRow, ParsedCatalogue
from producer.readers.errors import CatalogueUnreadable
from producer.readers.text import read_header, read_records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

#: Column names accepted for each of our fields; the first that is present is used.
Aliases = dict[str, tuple[str, ...]]


def read_table(path: Path, aliases: Mapping[str, Sequence[str]], *, names_identify: bool) -> ParsedCatalogue:
    """Rows of a CSV whose columns go by the given aliases; raises `CatalogueUnreadable` without a path column."""
    names = read_header(path)
    columns = {ours: found for ours, theirs in aliases.items() if (found := next((name for name in theirs if name in names), None))}
    if "path" not in columns:
        raise CatalogueUnreadable(f"{path} has no column {' or '.join(aliases['path'])}: add one with each image's path")
    used = set(columns.values())
    empty: Counter[str] = Counter()
    rows = []
    for number, record in enumerate(read_records(path), start=1):
        empty.update(name for name in names if not record[name])
        cells = {ours: record[theirs] for ours, theirs in columns.items()}
        extra = {intern(name): cell for name, cell in record.items() if cell and name not in used}
        rows.append(CatalogueRow(number=number, extra=extra, **cells))
    counted = {name: empty[name] for name in names}
    return ParsedCatalogue(rows=tuple(rows), columns=columns, image_root=path.parent, names_identify=names_identify, empty=counted)
