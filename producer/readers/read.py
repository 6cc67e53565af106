"""The whole catalogue from a path: rows and files, and the paths that were refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from producer.readers.catalogue import Catalogue, CatalogueFile, CatalogueRow, RefusedPath
from producer.readers.cells import CellRepair, storable
from producer.readers.errors import CatalogueUnreadable
from producer.readers.files import find_files, is_image
from producer.readers.registry import reader_for
from producer.readers.row_paths import PathRefused, place_path
from producer.readers.text import read_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from producer.readers.catalogue import ParsedCatalogue


def read_catalogue(
    path: Path,
    *,
    images: Path | None = None,
    file_list: Path | None = None,
    columns: Mapping[str, str] | None = None,
    exclude: Collection[Path] = (),
) -> Catalogue:
    """Rows and files of a catalogue.

    Args:
        path: the catalogue: a file, or a folder.
        images: another image root than the catalogue's folder.
        file_list: stands in for the tree; no image is opened.
        columns: which column holds what, from `parse_columns` or `read_columns`; the usual names do for the rest.
        exclude: folders of the image root that are not looked into, such as Paragone's own data directory.

    Raises:
        CatalogueUnreadable: the path, its image root or the file list cannot be read as a whole.
    """
    reader = reader_for(path)
    parsed = reader.read(path, columns or {})
    repairs = Counter(parsed.repairs)
    skipped: Counter[str] = Counter()
    listed = read_lines(file_list) if file_list else parsed.listed
    if listed is not None and parsed.files is not None:
        raise CatalogueUnreadable(f"{path} holds its images itself: leave --file-list out")
    root = _image_root(path, parsed, images) if listed is None else None
    rows, refused = _place_rows(parsed.rows, root, repairs)
    if listed is not None:
        candidates = _listed_files(listed, repairs)
    elif root is not None:
        candidates = find_files(root, also={row.path for row in rows if not is_image(row.path)}, exclude=exclude, skipped=skipped)
    else:
        candidates = iter(())
    files: list[CatalogueFile] = list(parsed.files or ())
    refused += parsed.refused
    for file in candidates:
        if isinstance(file, RefusedPath):
            refused.append(file)
        else:
            files.append(file)
    return Catalogue(
        source=str(path),
        reader=reader.name,
        rows=tuple(_decode_percents(rows, files, repairs)),
        files=tuple(files),
        refused=tuple(refused),
        columns=parsed.columns,
        empty=parsed.empty,
        names_identify=parsed.names_identify,
        on_disk=listed is None,
        repairs={str(what): times for what, times in repairs.items() if times},
        skipped={name: images for name, images in skipped.items() if images},
    )


def _place_rows(rows: Iterable[CatalogueRow], root: Path | None, repairs: Counter[str]) -> tuple[list[CatalogueRow], list[RefusedPath]]:
    """Rows with normalised paths, and those refused because their path is none inside the root."""
    kept: list[CatalogueRow] = []
    refused: list[RefusedPath] = []
    for row in rows:
        try:
            placed = place_path(row.path, root)
        except PathRefused as reason:
            refused.append(RefusedPath(path=row.path, reason=str(reason), row=row.number))
        else:
            repairs[CellRepair.ABSOLUTE] += placed.was_absolute
            kept.append(row if placed.path == row.path else replace(row, path=placed.path))
    return kept, refused


def _decode_percents(rows: Sequence[CatalogueRow], files: Sequence[CatalogueFile], repairs: Counter[str]) -> Iterator[CatalogueRow]:
    """Rows whose path is percent-encoded get the decoded one if a file has that and none has the written one."""
    known = {file.path for file in files} if any("%" in row.path for row in rows) else set()
    for row in rows:
        decoded = unquote(row.path) if "%" in row.path and row.path not in known else row.path
        if decoded != row.path and decoded in known:
            repairs[CellRepair.PERCENT] += 1
            yield replace(row, path=decoded)
        else:
            yield row


def _listed_files(lines: Iterable[str], repairs: Counter[str]) -> Iterator[CatalogueFile | RefusedPath]:
    for line in lines:
        if not is_image(path := storable(line, repairs)):
            continue
        try:
            yield CatalogueFile(path=place_path(path, None).path)
        except PathRefused as reason:
            yield RefusedPath(path=path, reason=str(reason))


def _image_root(path: Path, parsed: ParsedCatalogue, images: Path | None) -> Path | None:
    """The folder whose images are read; None if all of them lie in the catalogue's own shards."""
    root = images or parsed.image_root
    if root is None:
        if parsed.files is None:
            raise CatalogueUnreadable(f"{path} names no images: add --images or --file-list")
        return None
    if not root.is_dir():
        raise CatalogueUnreadable(f"the image root {root} is not a folder: check --images")
    return root
