"""Which reader accepts a path. A new format is added here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.readers.errors import CatalogueUnreadable
from producer.readers.kaggle import KaggleReader
from producer.readers.listing import ListingReader
from producer.readers.plain import PlainReader
from producer.readers.tree import TreeReader

if TYPE_CHECKING:
    from pathlib import Path

    from producer.readers.catalogue import CatalogueReader

#: Asked in this order; the first that accepts the path reads it.
READERS: tuple[CatalogueReader, ...] = (KaggleReader(), PlainReader(), ListingReader(), TreeReader())


def reader_for(path: Path) -> CatalogueReader:
    """The reader for a path; raises `CatalogueUnreadable` if there is none."""
    if not path.exists():
        raise CatalogueUnreadable(f"there is no catalogue at {path}: name a classes.csv, a folder of images, or a file list")
    for reader in READERS:
        if reader.accepts(path):
            return reader
    known = ", ".join(reader.name for reader in READERS)
    raise CatalogueUnreadable(f"no reader accepts {path}: the known formats are {known}")
