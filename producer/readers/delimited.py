"""Rows of a CSV, strictly: comma, semicolon, tab or bar between cells, told from the header, and no row swallowed by a stray quote."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from producer.readers.errors import CatalogueUnreadable
from producer.readers.files import is_image
from producer.readers.text import open_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

#: Descriptions of artworks can be long; the csv module stops at 131,072 characters by default.
FIELD_LIMIT = 16 * 2**20

#: Suffixes of files that hold rows of cells.
DELIMITED_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".tab")

_TABULATED = (".tsv", ".tsv.gz", ".tab")
_DELIMITERS = (",", ";", "\t", "|")
#: Excel's own line before the header.
_DECLARED = re.compile(r'^"?sep=(.)"?\s*$', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Header:
    """The first line of a CSV."""

    #: Column names as written.
    names: tuple[str, ...]
    delimiter: str
    #: Whether a line `sep=;` stands before it.
    declared: bool


def read_header(path: Path) -> Header:
    """The header of a CSV; raises `CatalogueUnreadable` if the file is no text."""
    with open_text(path) as lines:
        return _header(path, lines)


def read_cells(path: Path, *, path_column: Callable[[Sequence[str]], int | None]) -> Iterator[list[str]]:
    """The cells of each data row; empty lines are skipped.

    Args:
        path: the CSV.
        path_column: position of the column with the images' paths, from the names of all columns.

    Raises:
        CatalogueUnreadable: a quote is not closed, or closes where no cell ends; the line is named.
    """
    csv.field_size_limit(FIELD_LIMIT)
    with open_text(path) as lines:
        header = _header(path, lines)
        record: list[str] = []
        reader = csv.reader(_kept(lines, record), delimiter=header.delimiter, strict=True)
        position = path_column(header.names)
        first = 2 + header.declared
        while True:
            record.clear()
            start = first + reader.line_num
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise CatalogueUnreadable(f"{path}, line {start:,}: {_quote_fault(error, start, first + reader.line_num - 1)}") from None
            if cells is None:
                return
            if len(record) > 1 and position is not None:
                _check_swallowed(path, record, header, position, start)
            if cells:
                yield cells


def _header(path: Path, lines: Iterator[str]) -> Header:
    line = next(lines, "")
    declared = _DECLARED.match(line)
    if declared:
        line = next(lines, "")
        return Header(names=_split(path, line, lines, declared[1]), delimiter=declared[1], declared=True)
    if line.lstrip().startswith(("{", "[")):
        raise CatalogueUnreadable(f"{path} is JSON, not CSV: name it .jsonl, or .json if it is one list")
    delimiter = "\t" if path.name.casefold().endswith(_TABULATED) else max(_DELIMITERS, key=lambda one: _columns(line, one))
    return Header(names=_split(path, line, lines, delimiter), delimiter=delimiter, declared=False)


def _columns(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return 0


def _split(path: Path, line: str, lines: Iterator[str], delimiter: str) -> tuple[str, ...]:
    """Column names; a name in quotes may go over several lines."""
    try:
        return tuple(next(csv.reader(chain([line], lines) if '"' in line else [line], delimiter=delimiter, strict=True), []))
    except csv.Error as error:
        raise CatalogueUnreadable(f"{path}, line 1: {_quote_fault(error, 1, 1)}") from None


def _kept(lines: Iterator[str], record: list[str]) -> Iterator[str]:
    for line in lines:
        record.append(line)
        yield line


def _quote_fault(error: csv.Error, start: int, end: int) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return "a quote is opened and never closed: close it, or write a quote within a cell twice"
    if "expected after" in text:
        where = f", which takes in all up to line {end:,}" if end > start else ""
        return f"a quote closes where no cell ends{where}: write a quote within a cell twice, and close every cell"
    if "field larger" in text:
        return f"a cell has more than {FIELD_LIMIT:,} characters: is a quote not closed?"
    return f"the row cannot be read ({text}): export the file again"


def _check_swallowed(path: Path, record: Sequence[str], header: Header, position: int, start: int) -> None:
    """Two stray quotes make one valid cell of the rows between them: its lines look like rows of their own."""
    for offset, line in enumerate(record[1:], start=1):
        parts = line.split(header.delimiter)
        if len(parts) >= len(header.names) > 1 and is_image(parts[position].strip(' "\r\n')):
            raise CatalogueUnreadable(
                f"{path}, line {start:,}: a quote opened here takes in line {start + offset:,}, which is a row of its own: close the quote"
            )
