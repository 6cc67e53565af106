"""What every reader returns: rows as they were written, files as they lie on disk, nothing cleaned yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogueRow:
    """One row, its cells untouched except for surrounding blanks; a missing cell is the empty string."""

    #: Its position among the data rows, from 1.
    number: int
    path: str
    artist: str = ""
    title: str = ""
    #: The style cell: a name or a stringified list of names.
    styles: str = ""
    subset: str = ""
    #: Further columns that are not empty.
    extra: Mapping[str, str] = field(default_factory=dict)


class ImageContent(Protocol):
    """The bytes of an image that is no file of its own: a cell of a table, a member of an archive."""

    def read(self) -> bytes:
        """The encoded image; may be called from several threads. Raises `OSError` whose text is the reason."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogueFile:
    """One image file of the tree, one image inside a shard, or one line of the file list that stands in for them."""

    #: Relative to the image root, with forward slashes; undecodable bytes of a name are read as Latin-1.
    path: str
    #: Where it can be opened; None if it is no file of its own, or only its name is known.
    location: Path | None = None
    #: Its bytes if it lies inside a shard; used instead of `location`.
    content: ImageContent | None = None
    #: Size and modification time when it was found, those of the shard if it lies in one; None if only its name is known.
    byte_size: int | None = None
    modified_ns: int | None = None

    @property
    def can_be_opened(self) -> bool:
        """Whether there is an image and not only its name."""
        return self.location is not None or self.content is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedPath:
    """The path of a row or file that is not read, and why."""

    path: str
    reason: str
    #: The row's number; None for a file.
    row: int | None = None


@dataclass(frozen=True, kw_only=True)
class ParsedCatalogue:
    """What a reader finds in a catalogue file; `columns` maps each of our names to the column that holds it."""

    rows: tuple[CatalogueRow, ...]
    columns: Mapping[str, str]
    #: Folder that relative paths start from unless the operator names another; None if the format has no images beside it.
    image_root: Path | None
    #: Whether `artist_title` in a file name identifies the artwork, so that the same name in two folders is one artwork twice.
    names_identify: bool = True
    #: File names that the catalogue itself lists instead of rows; None if the tree is to be walked.
    listed: tuple[str, ...] | None = None
    #: Number of empty cells per column, by the catalogue's own column names.
    empty: Mapping[str, int] = field(default_factory=dict)
    #: Images that lie inside the catalogue's shards; None if there are none, and the tree is to be walked.
    files: tuple[CatalogueFile, ...] | None = None
    #: Rows and images that the reader cannot make out.
    refused: tuple[RefusedPath, ...] = ()
    #: What was mended while reading (`CellRepair` or the reader's own words), with how often.
    repairs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Rows and files together, ready for cleaning."""

    source: str
    reader: str
    rows: tuple[CatalogueRow, ...]
    files: tuple[CatalogueFile, ...]
    refused: tuple[RefusedPath, ...]
    columns: Mapping[str, str]
    empty: Mapping[str, int]
    names_identify: bool
    #: False where a file list stands in for the tree: no image is opened.
    on_disk: bool
    #: Folders that were not read, or kinds of them, and how many files lie in them.
    skipped: Mapping[str, int] = field(default_factory=dict)
    #: What was mended while reading, with how often.
    repairs: Mapping[str, int] = field(default_factory=dict)


class CatalogueReader(Protocol):
    """Reads one catalogue format."""

    #: Shown in the report.
    name: str

    def accepts(self, path: Path) -> bool:
        """Whether this path is of the reader's format, judged by its name and first line; reads no more than that."""
        ...

    def read(self, path: Path, columns: Mapping[str, str]) -> ParsedCatalogue:
        """All rows; raises `CatalogueUnreadable`.

        Args:
            path: what `accepts` took.
            columns: the fields of `CatalogueRow` whose column the operator names, with its name; empty if the usual names are to do.
        """
        ...
