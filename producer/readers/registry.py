"""Which reader takes a path, and the catalogue as a whole: rows and files, with what was refused. A new format is added here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from producer.readers.catalogue import Catalogue, CatalogueFile, CatalogueRow, Reader, Refusal
from producer.readers.errors import CatalogueUnreadable
from producer.readers.kaggle import KaggleReader
from producer.readers.listing import ListingReader
from producer.readers.paths import is_picture, walk, within
from producer.readers.plain import PlainReader
from producer.readers.text import lines
from producer.readers.tree import TreeReader

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: Asked in this order; the first that suits reads.
READERS: tuple[Reader, ...] = (KaggleReader(), PlainReader(), ListingReader(), TreeReader())


def choose(path: Path) -> Reader:
    """The reader for a path; raises `CatalogueUnreadable` if there is none."""
    if not path.exists():
        raise CatalogueUnreadable(f"there is no catalogue at {path}: name a classes.csv, a folder of pictures, or a file list")
    for reader in READERS:
        if reader.suits(path):
            return reader
    known = ", ".join(reader.name for reader in READERS)
    raise CatalogueUnreadable(f"no reader takes {path}: known are {known}")


def read_catalogue(path: Path, *, images: Path | None = None, file_list: Path | None = None) -> Catalogue:
    """Rows and files of a catalogue; `file_list` stands in for the tree, `images` names another image root.

    Raises:
        CatalogueUnreadable: the path, its image root or the file list cannot be read as a whole.
    """
    reader = choose(path)
    found = reader.read(path)
    rows, refused = _inside(found.rows)
    listed = lines(file_list) if file_list else found.listed
    if listed is None:
        listed_files = walk(_root(path, images or found.image_root), also={row.path for row in rows if not is_picture(row.path)})
    else:
        listed_files = (_listed(line) for line in listed if is_picture(line))
    files: list[CatalogueFile] = []
    for file in listed_files:
        if isinstance(file, Refusal):
            refused.append(file)
        else:
            files.append(file)
    return Catalogue(
        source=str(path),
        reader=reader.name,
        rows=tuple(rows),
        files=tuple(files),
        refused=tuple(refused),
        columns=found.columns,
        empty=found.empty,
        names_tell=found.names_tell,
        pictures=listed is None,
    )


def _inside(rows: Iterable[CatalogueRow]) -> tuple[list[CatalogueRow], list[Refusal]]:
    """Rows with their paths in plain spelling, and those refused because their path leaves the root."""
    kept: list[CatalogueRow] = []
    refused: list[Refusal] = []
    for row in rows:
        path = within(row.path)
        if path is not None:
            kept.append(row if path == row.path else replace(row, path=path))
        else:
            reason = "the path leaves the image root" if row.path else "the row names no file"
            refused.append(Refusal(path=row.path, reason=reason, row=row.number))
    return kept, refused


def _listed(line: str) -> CatalogueFile | Refusal:
    path = within(line)
    return Refusal(path=line, reason="the path leaves the image root") if path is None else CatalogueFile(path=path)


def _root(path: Path, images: Path | None) -> Path:
    if images is None:
        raise CatalogueUnreadable(f"{path} names no pictures: give --images or --file-list")
    if not images.is_dir():
        raise CatalogueUnreadable(f"the image root {images} is not a folder: check --images")
    return images
