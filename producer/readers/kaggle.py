"""The Kaggle WikiArt catalogue: `classes.csv` beside the image tree, styles as a stringified list in `genre`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.readers.columns import Aliases, fold_name
from producer.readers.delimited import DELIMITED_SUFFIXES, read_header
from producer.readers.errors import CatalogueUnreadable
from producer.readers.table import read_delimited

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from producer.readers.catalogue import ParsedCatalogue

NAMES = ("classes.csv", "classes.csv.gz")

#: `title` is an extra column of museum exports. `description` is a slug of the title: cleaning falls back on it, and it stays in `extra`.
COLUMNS: Aliases = {"path": ("filename",), "artist": ("artist",), "title": ("title",), "styles": ("genre",), "subset": ("subset",)}


class KaggleReader:
    """`classes.csv` (also `.gz`, also the folder that holds it); columns beyond Kaggle's are kept."""

    name = "Kaggle classes.csv"

    def accepts(self, path: Path) -> bool:
        """True for a CSV with the columns `filename` and `genre`, or a folder with a `classes.csv`."""
        if path.is_dir():
            return any((path / name).is_file() for name in NAMES)
        if not path.name.casefold().endswith(DELIMITED_SUFFIXES):
            return False
        try:
            return {"filename", "genre"} <= {fold_name(name) for name in read_header(path).names}
        except CatalogueUnreadable:
            return path.name in NAMES

    def read(self, path: Path, columns: Mapping[str, str]) -> ParsedCatalogue:
        """All rows; the image root is the folder of the CSV."""
        if path.is_dir():
            path = next(path / name for name in NAMES if (path / name).is_file())
        return read_delimited(path, COLUMNS, columns, names_identify=True)
