"""From a table of any format to catalogue rows: which column holds what, and how many of its cells are empty."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from sys import intern
from typing import TYPE_CHECKING

from producer.readers.catalogue import CatalogueRow, ParsedCatalogue, RefusedPath
from producer.readers.cells import CellRepair, clean_cell
from producer.readers.columns import column_names, find_columns, listed_names
from producer.readers.delimited import read_cells, read_header
from producer.readers.errors import CatalogueUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

#: Columns of a file that tells what was made of images: `paragone import-results` reads it.
_RESULTS = frozenset({"generated_image", "prompt_complete", "prompt_compressed"})


@dataclass(frozen=True, kw_only=True)
class BrokenRow:
    """A row that its format cannot make out, and why."""

    text: str
    reason: str


@dataclass(kw_only=True)
class CatalogueTable:
    """Rows under column names, as any format gives them."""

    #: The file, for errors.
    path: Path
    #: As written.
    names: Sequence[str]
    #: The cells of each row in the order of the names, which may be too few or too many.
    rows: Iterable[Sequence[str] | BrokenRow]
    #: What reading the cells had to mend, beyond what every table's cells get.
    repairs: Counter[str] = field(default_factory=Counter)


def read_table(
    table: CatalogueTable,
    aliases: Mapping[str, Sequence[str]],
    columns: Mapping[str, str],
    *,
    names_identify: bool,
    image_root: Path | None = None,
) -> ParsedCatalogue:
    """Rows of a table whose columns go by the given aliases, or as the operator says.

    Raises:
        CatalogueUnreadable: there is no column with paths, or two have one name.
    """
    names = column_names(table.path, table.names)
    check_results(table.path, names)
    found = find_columns(names, aliases, columns, table.path)
    if "path" not in found:
        raise without_paths(table.path, names, aliases)
    rows: list[CatalogueRow] = []
    refused: list[RefusedPath] = []
    empty: Counter[str] = Counter()
    for number, cells in enumerate(table.rows, start=1):
        if isinstance(cells, BrokenRow):
            refused.append(RefusedPath(path=clean_cell(cells.text, table.repairs), reason=cells.reason, row=number))
            continue
        record = _record(names, cells, table.repairs)
        empty.update(name for name in names if not record[name])
        rows.append(catalogue_row(number, record, found))
    if refused and not rows:
        raise CatalogueUnreadable(f"{table.path} has no readable row (the first: {refused[0].reason}): check its format")
    return ParsedCatalogue(
        rows=tuple(rows),
        columns=found,
        image_root=image_root or table.path.parent,
        names_identify=names_identify,
        empty={name: empty[name] for name in names},
        refused=tuple(refused),
        repairs=table.repairs,
    )


def read_delimited(
    path: Path, aliases: Mapping[str, Sequence[str]], columns: Mapping[str, str], *, names_identify: bool
) -> ParsedCatalogue:
    """Rows of a CSV; raises `CatalogueUnreadable`."""
    written = read_header(path).names

    def path_column(names: Sequence[str]) -> int | None:
        folded = column_names(path, names)
        name = find_columns(folded, aliases, columns, path).get("path")
        return None if name is None else folded.index(name)

    table = CatalogueTable(path=path, names=written, rows=read_cells(path, path_column=path_column))
    return read_table(table, aliases, columns, names_identify=names_identify)


def catalogue_row(number: int, record: Mapping[str, str], columns: Mapping[str, str], *, path: str | None = None) -> CatalogueRow:
    """A row from its cells by column name; `path` takes the place of a column with paths."""
    used = set(columns.values())
    cells = {ours: record[theirs] for ours, theirs in columns.items()}
    if path is not None:
        cells["path"] = path
    extra = {intern(name): cell for name, cell in record.items() if cell and name not in used}
    return CatalogueRow(number=number, extra=extra, **cells)


def check_results(path: Path, names: Sequence[str]) -> None:
    """Raise `CatalogueUnreadable` for the table of a finished run: it describes what was made, not what is to be registered."""
    if "original_image" in names and not _RESULTS.isdisjoint(names):
        raise CatalogueUnreadable(f"{path} holds results, not a catalogue: ingest the originals, then run `paragone import-results {path}`")


def without_paths(path: Path, names: Sequence[str], aliases: Mapping[str, Sequence[str]]) -> CatalogueUnreadable:
    """The error for a table that does not say where its images are."""
    if not names:
        return CatalogueUnreadable(f"{path} is empty: write a header with a column path, and a row for each artwork")
    usual = ", ".join(aliases["path"][:4])
    return CatalogueUnreadable(
        f"{path} has no column with the images' paths ({usual}); its columns are {listed_names(names)}: name it with --column path=NAME"
    )


def _record(names: Sequence[str], cells: Sequence[str], repairs: Counter[str]) -> dict[str, str]:
    """Cells by column name; missing ones are empty, surplus ones joined under "surplus"."""
    record = dict.fromkeys(names, "")
    record.update(zip(names, (clean_cell(cell, repairs) for cell in cells), strict=False))
    if len(cells) > len(names):
        record["surplus" if "surplus" not in names else "surplus cells"] = clean_cell(",".join(cells[len(names) :]), repairs)
        repairs[CellRepair.SURPLUS] += any(cells[len(names) :])
    return record
