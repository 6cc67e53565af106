"""Images that lie inside shards: every one gets a path that is the same at each ingest, and its row."""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from producer.readers.catalogue import CatalogueFile, ParsedCatalogue, RefusedPath
from producer.readers.columns import USUAL, find_columns, fold_name
from producer.readers.errors import CatalogueUnreadable
from producer.readers.name_convention import names_follow_artists
from producer.readers.row_paths import normalise_path
from producer.readers.table import catalogue_row, check_results, without_paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from producer.readers.arrow_rows import ShardLayout
    from producer.readers.catalogue import CatalogueRow, ImageContent


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageShard:
    """One file with many images."""

    location: Path
    #: What the paths of its images begin with, where they have none of their own.
    name: str
    byte_size: int
    modified_ns: int
    #: Its part of the data set, as its name or folder says; empty if they say nothing.
    split: str = ""

    @classmethod
    def of(cls, location: Path, root: Path, split: str = "") -> ImageShard:
        """A shard by where it lies below the catalogue's folder, or as the catalogue itself."""
        facts = location.stat()
        relative = location.relative_to(root).with_suffix("") if location != root else location.with_suffix("").name
        name = f"{root.resolve().name}/{relative}" if location != root else str(relative)
        return cls(location=location, name=name, byte_size=facts.st_size, modified_ns=facts.st_mtime_ns, split=split)


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedRow:
    """One row of a shard, its cells by column name, and its image."""

    shard: ImageShard
    #: Its position in the shard, from 0.
    position: int
    record: Mapping[str, str]
    #: The path that is stored with the image; empty if there is none.
    stored: str = ""
    #: None if the row only names a file, or has no image at all.
    content: ImageContent | None = None


@dataclass(kw_only=True)
class ShardTable:
    """All rows of a catalogue's shards."""

    #: The catalogue, for errors.
    path: Path
    #: Folder that paths of rows without an embedded image start from.
    folder: Path
    rows: list[EmbeddedRow] = field(default_factory=list)
    #: Column names in the order in which they were met.
    names: dict[str, None] = field(default_factory=dict)
    #: Columns that hold numbers of labels which nothing names.
    unnamed_labels: set[str] = field(default_factory=set)
    #: Columns that hold encoded images, by their names as compared.
    image_columns: set[str] = field(default_factory=set)
    refused: list[RefusedPath] = field(default_factory=list)
    repairs: Counter[str] = field(default_factory=Counter)

    def add_layout(self, layout: ShardLayout) -> None:
        """Count in the columns of one shard."""
        self.names |= dict.fromkeys(layout.cells.values())
        self.unnamed_labels |= layout.unnamed
        if layout.image is not None:
            self.image_columns.add(fold_name(layout.image))

    def read_table(self, columns: Mapping[str, str]) -> ParsedCatalogue:
        """Rows and images; raises `CatalogueUnreadable` if neither images nor paths are there."""
        names = tuple(self.names)
        check_results(self.path, names)
        found = find_columns(names, USUAL, columns, self.path)
        self._check_labels(found)
        if not self.rows and self.refused:
            raise CatalogueUnreadable(f"{self.path} has no readable shard ({self.refused[0].reason}): fetch it again")
        if "path" not in found and not any(row.content or row.stored for row in self.rows):
            raise without_paths(self.path, names, USUAL)
        embedded = self._embedded_paths(found.get("path"))
        rows, refused = self._catalogue_rows(names, found, embedded)
        identify = self._has_stored_paths(embedded) and any(row.artist for row in rows) and names_follow_artists(rows)
        return ParsedCatalogue(
            rows=tuple(rows),
            columns=found,
            image_root=self.folder if len(embedded) < len(rows) else None,
            names_identify=identify,
            empty={name: sum(not row.record.get(name) for row in self.rows) for name in names},
            files=tuple(self._file(number, path) for number, path in embedded.items()),
            refused=(*self.refused, *refused),
            repairs=self.repairs,
        )

    def _check_labels(self, found: Mapping[str, str]) -> None:
        """A label's number is nobody's name: better no ingest than an artist called 22."""
        for ours, name in found.items():
            if ours in {"artist", "title", "styles"} and name in self.unnamed_labels:
                option = "style" if ours == "styles" else ours
                raise CatalogueUnreadable(
                    f"{self.path}: column {name} holds numbers, and neither the schema nor a README.md beside it names them: "
                    f"name another column with --column {option}=NAME, or none with --column {option}="
                )

    def _embedded_paths(self, path_column: str | None) -> dict[int, str]:
        """The path of each embedded image by its row's number: those stored with the images if all have one and no two the same."""
        embedded = {number: row for number, row in enumerate(self.rows, start=1) if row.content is not None}
        stored = {number: _stored_path(row, path_column) for number, row in embedded.items()}
        if None not in stored.values() and len(set(stored.values())) == len(stored):
            return {number: path for number, path in stored.items() if path}
        return {number: numbered_path(row) for number, row in embedded.items()}

    def _has_stored_paths(self, embedded: Mapping[int, str]) -> bool:
        return any(path != numbered_path(self.rows[number - 1]) for number, path in embedded.items())

    def _catalogue_rows(
        self, names: Sequence[str], found: Mapping[str, str], embedded: Mapping[int, str]
    ) -> tuple[list[CatalogueRow], list[RefusedPath]]:
        several = len({row.shard.split for row in self.rows}) > 1
        rows: list[CatalogueRow] = []
        refused: list[RefusedPath] = []
        for number, row in enumerate(self.rows, start=1):
            record = dict.fromkeys(names, "") | dict(row.record)
            path = embedded.get(number) or record.get(found.get("path", ""), "") or row.stored
            if not path:
                refused.append(RefusedPath(path=numbered_path(row), reason="the row holds no image and names none", row=number))
                continue
            parsed = catalogue_row(number, record, found, path=path)
            rows.append(replace(parsed, subset=row.shard.split) if several and not parsed.subset else parsed)
        return rows, refused

    def _file(self, number: int, path: str) -> CatalogueFile:
        row = self.rows[number - 1]
        return CatalogueFile(path=path, content=row.content, byte_size=row.shard.byte_size, modified_ns=row.shard.modified_ns)


def numbered_path(row: EmbeddedRow) -> str:
    """A path by shard and position, for an image without one of its own."""
    return f"{row.shard.name}/{row.position}"


def _stored_path(row: EmbeddedRow, column: str | None) -> str | None:
    """The path that is stored with an embedded image, inside the image root: of an absolute one only the name is kept."""
    for written in (row.record.get(column, "") if column else "", row.stored):
        if path := normalise_path(written) or normalise_path(posixpath.basename(written.replace("\\", "/"))):
            return path
    return None
