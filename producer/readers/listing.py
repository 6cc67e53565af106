"""A file list alone: the names of a tree that is somewhere else, one path a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.readers.catalogue import Rows
from producer.readers.text import lines

if TYPE_CHECKING:
    from pathlib import Path


class ListingReader:
    """`files.txt` or `files.txt.gz` in the place of a catalogue: works are planned from their names."""

    name = "file list"

    def suits(self, path: Path) -> bool:
        """True for text files."""
        return path.name.casefold().endswith((".txt", ".txt.gz", ".lst"))

    def read(self, path: Path) -> Rows:
        """No rows, the names listed."""
        return Rows(rows=(), columns={}, image_root=None, listed=lines(path))
