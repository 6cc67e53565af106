"""Hugging Face image folders: `metadata.csv` or `metadata.jsonl` with `file_name`, in the folder or in one for each split."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from producer.readers.catalogue import ParsedCatalogue
from producer.readers.columns import USUAL
from producer.readers.json_rows import json_table
from producer.readers.shard_files import split_name
from producer.readers.table import read_delimited, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from producer.readers.catalogue import CatalogueRow, RefusedPath

NAMES = ("metadata.csv", "metadata.jsonl")


class ImageFolderReader:
    """A folder of images with a table beside them; paths in the table start from its own folder."""

    name = "image folder with metadata"

    def accepts(self, path: Path) -> bool:
        """True for a folder with such a file, or whose folders have one."""
        return path.is_dir() and bool(_tables(path))

    def read(self, path: Path, columns: Mapping[str, str]) -> ParsedCatalogue:
        """All rows of all tables; a table of a split's folder gives its rows that subset."""
        tables = _tables(path)
        rows: list[CatalogueRow] = []
        refused: list[RefusedPath] = []
        found: dict[str, str] = {}
        empty: dict[str, int] = {}
        repairs: dict[str, int] = {}
        for table in tables:
            parsed = _read(table, columns)
            before = len(rows) + len(refused)
            prefix = "" if table.parent == path else f"{table.parent.relative_to(path).as_posix()}/"
            subset = split_name(table, path) if len(tables) > 1 else ""
            rows += (_moved(row, before, prefix, subset) for row in parsed.rows)
            refused += (replace(one, row=(one.row or 0) + before) for one in parsed.refused)
            found |= parsed.columns
            for counts, more in ((empty, parsed.empty), (repairs, parsed.repairs)):
                for name, times in more.items():
                    counts[name] = counts.get(name, 0) + times
        return ParsedCatalogue(
            rows=tuple(rows),
            columns=found,
            image_root=path,
            names_identify=False,
            empty=empty,
            refused=tuple(refused),
            repairs=repairs,
        )


def _read(table: Path, columns: Mapping[str, str]) -> ParsedCatalogue:
    if table.suffix == ".csv":
        return read_delimited(table, USUAL, columns, names_identify=False)
    return read_table(json_table(table), USUAL, columns, names_identify=False)


def _moved(row: CatalogueRow, before: int, prefix: str, subset: str) -> CatalogueRow:
    """A row of one table as a row of all of them."""
    relative = row.path and not row.path.startswith(("/", "\\")) and ":" not in row.path[:8]
    return replace(row, number=row.number + before, path=f"{prefix}{row.path}" if relative else row.path, subset=row.subset or subset)


def _tables(folder: Path) -> list[Path]:
    for where in (folder, *sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))):
        if found := [where / name for name in NAMES if (where / name).is_file()]:
            if where == folder:
                return found[:1]
            return [table for one in sorted(folder.iterdir()) if one.is_dir() for table in _first_table(one)]
    return []


def _first_table(folder: Path) -> list[Path]:
    return [folder / name for name in NAMES if (folder / name).is_file()][:1]
