"""A bare `Style/artist_title.jpg` tree: no rows, the file names hold all facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.readers.catalogue import ParsedCatalogue
from producer.readers.errors import CatalogueUnreadable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class TreeReader:
    """A folder that holds one folder per style."""

    name = "image tree"

    def accepts(self, path: Path) -> bool:
        """True for any folder."""
        return path.is_dir()

    def read(self, path: Path, columns: Mapping[str, str]) -> ParsedCatalogue:
        """No rows; the image root is the folder itself."""
        if columns:
            raise CatalogueUnreadable(f"{path} is a folder of images and has no columns: leave --column out, or name the catalogue's file")
        return ParsedCatalogue(rows=(), columns={}, image_root=path)
