"""Any CSV or TSV that names its images: columns path, artist, title, style by their usual names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.readers.columns import USUAL, fold_name
from producer.readers.delimited import DELIMITED_SUFFIXES, read_header
from producer.readers.errors import CatalogueUnreadable
from producer.readers.table import read_delimited

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from producer.readers.catalogue import ParsedCatalogue


class PlainReader:
    """Any other CSV. Its file names follow no convention, so the whole path identifies the artwork and nothing is joined by name alone."""

    name = "plain CSV"

    def accepts(self, path: Path) -> bool:
        """True for any CSV or TSV, and for a .txt with tabs between column names: Excel's "Unicode text"."""
        if path.is_dir():
            return False
        name = path.name.casefold()
        return name.endswith(DELIMITED_SUFFIXES) or (name.endswith((".txt", ".txt.gz")) and _is_tabulated(path))

    def read(self, path: Path, columns: Mapping[str, str]) -> ParsedCatalogue:
        """All rows; the image root is the folder of the CSV."""
        return read_delimited(path, USUAL, columns, names_identify=False)


def _is_tabulated(path: Path) -> bool:
    try:
        header = read_header(path)
    except CatalogueUnreadable:
        return False
    return len(header.names) > 1 and any(fold_name(name) in USUAL["path"] for name in header.names)
