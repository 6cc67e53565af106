"""Any CSV that names its images: columns path, artist, title, style by their usual names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.readers.table import Aliases, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from producer.readers.catalogue import ParsedCatalogue

COLUMNS: Aliases = {
    "path": ("path", "filename", "file", "file_name", "image"),
    "artist": ("artist", "creator"),
    "title": ("title", "name"),
    "styles": ("style", "styles", "genre"),
    "subset": ("subset", "split"),
}


class PlainReader:
    """Any other CSV. Its file names follow no convention, so the whole path identifies the artwork and nothing is joined by name alone."""

    name = "plain CSV"

    def accepts(self, path: Path) -> bool:
        """True for any CSV file."""
        return path.is_file() and path.name.casefold().endswith((".csv", ".csv.gz"))

    def read(self, path: Path) -> ParsedCatalogue:
        """All rows; the image root is the folder of the CSV."""
        return read_table(path, COLUMNS, names_identify=False)
