"""A bare `Style/artist_title.jpg` tree: no rows, the names say everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.readers.catalogue import Rows

if TYPE_CHECKING:
    from pathlib import Path


class TreeReader:
    """A folder of style folders."""

    name = "picture tree"

    def suits(self, path: Path) -> bool:
        """True for any folder."""
        return path.is_dir()

    def read(self, path: Path) -> Rows:
        """No rows; the image root is the folder itself."""
        return Rows(rows=(), columns={}, image_root=path)
