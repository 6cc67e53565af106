"""The whole catalogue from a path: rows and files, and the paths that were refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from producer.readers.catalogue import Catalogue, CatalogueFile, CatalogueRow, RefusedPath
from producer.readers.errors import CatalogueUnreadable
from producer.readers.files import find_files, is_image, normalise_path
from producer.readers.registry import reader_for
from producer.readers.text import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def read_catalogue(path: Path, *, images: Path | None = None, file_list: Path | None = None) -> Catalogue:
    """Rows and files of a catalogue; `file_list` stands in for the tree, `images` names another image root.

    Raises:
        CatalogueUnreadable: the path, its image root or the file list cannot be read as a whole.
    """
    reader = reader_for(path)
    parsed = reader.read(path)
    rows, refused = _split_refused(parsed.rows)
    listed = read_lines(file_list) if file_list else parsed.listed
    if listed is None:
        candidates = find_files(_checked_root(path, images or parsed.image_root), also={row.path for row in rows if not is_image(row.path)})
    else:
        candidates = (_listed_file(line) for line in listed if is_image(line))
    files: list[CatalogueFile] = []
    for file in candidates:
        if isinstance(file, RefusedPath):
            refused.append(file)
        else:
            files.append(file)
    return Catalogue(
        source=str(path),
        reader=reader.name,
        rows=tuple(rows),
        files=tuple(files),
        refused=tuple(refused),
        columns=parsed.columns,
        empty=parsed.empty,
        names_identify=parsed.names_identify,
        on_disk=listed is None,
    )


def _split_refused(rows: Iterable[CatalogueRow]) -> tuple[list[CatalogueRow], list[RefusedPath]]:
    """Rows with normalised paths, and those refused because their path leaves the root."""
    kept: list[CatalogueRow] = []
    refused: list[RefusedPath] = []
    for row in rows:
        path = normalise_path(row.path)
        if path is not None:
            kept.append(row if path == row.path else replace(row, path=path))
        else:
            reason = "the path leaves the image root" if row.path else "the row names no file"
            refused.append(RefusedPath(path=row.path, reason=reason, row=row.number))
    return kept, refused


def _listed_file(line: str) -> CatalogueFile | RefusedPath:
    path = normalise_path(line)
    return RefusedPath(path=line, reason="the path leaves the image root") if path is None else CatalogueFile(path=path)


def _checked_root(path: Path, images: Path | None) -> Path:
    if images is None:
        raise CatalogueUnreadable(f"{path} names no images: add --images or --file-list")
    if not images.is_dir():
        raise CatalogueUnreadable(f"the image root {images} is not a folder: check --images")
    return images
