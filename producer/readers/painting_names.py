"""WikiArt catalogues with a column `painting_name`: file_name, genre, artist, painting_name, phash, description, subset."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from producer.readers.columns import Aliases, fold_name
from producer.readers.delimited import DELIMITED_SUFFIXES, read_header
from producer.readers.errors import CatalogueUnreadable
from producer.readers.name_convention import names_follow_artists
from producer.readers.table import read_delimited

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from producer.readers.catalogue import ParsedCatalogue

#: `description` holds captions in words and stays in `extra`.
COLUMNS: Aliases = {
    "path": ("file_name", "filename"),
    "artist": ("artist",),
    "title": ("painting_name",),
    "styles": ("genre", "style"),
    "subset": ("subset",),
}


class PaintingNameReader:
    """A CSV with `file_name`, `artist` and `painting_name`, whose names identify the artwork if they begin with the artist."""

    name = "WikiArt CSV with painting_name"

    def accepts(self, path: Path) -> bool:
        """True for a CSV with these three columns."""
        if path.is_dir() or not path.name.casefold().endswith(DELIMITED_SUFFIXES):
            return False
        try:
            names = {fold_name(name) for name in read_header(path).names}
        except CatalogueUnreadable:
            return False
        return {"artist", "painting_name"} <= names and not names.isdisjoint(COLUMNS["path"])

    def read(self, path: Path, columns: Mapping[str, str]) -> ParsedCatalogue:
        """All rows; the image root is the folder of the CSV."""
        parsed = read_delimited(path, COLUMNS, columns, names_identify=True)
        return replace(parsed, names_identify=names_follow_artists(parsed.rows))
