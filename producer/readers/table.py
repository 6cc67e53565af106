"""A table of records to catalogue rows: which column holds what, and how often each is empty."""

from __future__ import annotations

from collections import Counter
from sys import intern
from typing import TYPE_CHECKING

from producer.readers.catalogue import CatalogueRow, Rows
from producer.readers.errors import CatalogueUnreadable
from producer.readers.text import header, records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

#: What each of our fields may be called, first come first taken.
Aliases = dict[str, tuple[str, ...]]


def read_table(path: Path, aliases: Mapping[str, Sequence[str]], *, names_tell: bool) -> Rows:
    """Rows of a CSV whose columns go by the given aliases; raises `CatalogueUnreadable` without a path column."""
    names = header(path)
    columns = {ours: found for ours, theirs in aliases.items() if (found := next((name for name in theirs if name in names), None))}
    if "path" not in columns:
        raise CatalogueUnreadable(f"{path} has no column {' or '.join(aliases['path'])}: add one with each picture's path")
    taken = set(columns.values())
    empty: Counter[str] = Counter()
    rows = []
    for number, record in enumerate(records(path), start=1):
        empty.update(name for name in names if not record[name])
        cells = {ours: record[theirs] for ours, theirs in columns.items()}
        extra = {intern(name): cell for name, cell in record.items() if cell and name not in taken}
        rows.append(CatalogueRow(number=number, extra=extra, **cells))
    counted = {name: empty[name] for name in names}
    return Rows(rows=tuple(rows), columns=columns, image_root=path.parent, names_tell=names_tell, empty=counted)
