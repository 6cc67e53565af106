"""A file list alone: the names of a tree that lies elsewhere, one path per line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.readers.catalogue import ParsedCatalogue
from producer.readers.errors import CatalogueUnreadable
from producer.readers.text import read_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class ListingReader:
    """`files.txt` or `files.txt.gz` in place of a catalogue: artworks are planned from their file names."""

    name = "file list"

    def accepts(self, path: Path) -> bool:
        """True for text files."""
        return path.name.casefold().endswith((".txt", ".txt.gz", ".lst"))

    def read(self, path: Path, columns: Mapping[str, str]) -> ParsedCatalogue:
        """No rows, the names listed."""
        if columns:
            raise CatalogueUnreadable(f"{path} is a file list and has no columns: leave --column out, or name it .csv")
        return ParsedCatalogue(rows=(), columns={}, image_root=None, listed=read_lines(path))
