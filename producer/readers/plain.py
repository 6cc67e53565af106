"""Any CSV that names its pictures: columns path, artist, title, style by their usual names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.readers.table import Aliases, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from producer.readers.catalogue import Rows

COLUMNS: Aliases = {
    "path": ("path", "filename", "file", "file_name", "image"),
    "artist": ("artist", "creator"),
    "title": ("title", "name"),
    "styles": ("style", "styles", "genre"),
    "subset": ("subset", "split"),
}


class PlainReader:
    """A CSV of other making. Its file names promise nothing, so the whole path is the work's name and nothing is joined by name alone."""

    name = "plain CSV"

    def suits(self, path: Path) -> bool:
        """True for any CSV file."""
        return path.is_file() and path.name.casefold().endswith((".csv", ".csv.gz"))

    def read(self, path: Path) -> Rows:
        """All rows; the image root is the folder of the CSV."""
        return read_table(path, COLUMNS, names_tell=False)
