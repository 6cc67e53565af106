"""A bare `Style/artist_title.jpg` tree: no rows, the file names hold all facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.readers.catalogue import ParsedCatalogue

if TYPE_CHECKING:
    from pathlib import Path


class TreeReader:
    """A folder that holds one folder per style."""

    name = "image tree"

    def accepts(self, path: Path) -> bool:
        """True for any folder."""
        return path.is_dir()

    def read(self, path: Path) -> ParsedCatalogue:
        """No rows; the image root is the folder itself."""
        return ParsedCatalogue(rows=(), columns={}, image_root=path)
