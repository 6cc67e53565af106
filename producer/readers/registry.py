"""Which reader accepts a path. A new format is added here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.readers.arrow_datasets import ArrowDatasetReader
from producer.readers.errors import CatalogueUnreadable
from producer.readers.image_folder import ImageFolderReader
from producer.readers.json_rows import JsonReader
from producer.readers.kaggle import KaggleReader
from producer.readers.listing import ListingReader
from producer.readers.painting_names import PaintingNameReader
from producer.readers.parquet import ParquetReader
from producer.readers.plain import PlainReader
from producer.readers.spreadsheet import SpreadsheetReader
from producer.readers.tree import TreeReader
from producer.readers.web_dataset import WebDatasetReader

if TYPE_CHECKING:
    from pathlib import Path

    from producer.readers.catalogue import CatalogueReader

#: Asked in this order; the first that accepts the path reads it.
READERS: tuple[CatalogueReader, ...] = (
    KaggleReader(),
    PaintingNameReader(),
    PlainReader(),
    ListingReader(),
    JsonReader(),
    SpreadsheetReader(),
    ArrowDatasetReader(),
    ParquetReader(),
    WebDatasetReader(),
    ImageFolderReader(),
    TreeReader(),
)

#: Formats that are not read, by the end of the name, and what to do with them.
_NOT_READ: tuple[tuple[tuple[str, ...], str], ...] = (
    ((".xls", ".xlsb", ".ods", ".numbers"), "save it as .xlsx or CSV"),
    ((".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"), "decompress it to .tar: images are read from where they lie in it"),
    ((".zip", ".7z", ".rar"), "unpack it and name the folder"),
    ((".csv.zip", ".csv.bz2", ".csv.xz", ".csv.zst"), "unpack it, or compress it with gzip"),
    (
        (".sqlite", ".db", ".feather", ".orc", ".avro", ".h5", ".hdf5", ".npz", ".xml", ".yaml", ".yml"),
        "export its table as CSV or parquet",
    ),
    ((".pkl", ".pickle", ".pt", ".joblib"), "it may run code when opened; export its table as CSV or parquet"),
    ((".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif"), "an image alone is no catalogue: name the folder that holds it"),
)


def reader_for(path: Path) -> CatalogueReader:
    """The reader for a path; raises `CatalogueUnreadable` if there is none."""
    if not path.exists():
        raise CatalogueUnreadable(f"there is no catalogue at {path}: name a classes.csv, a folder of images, or a file list")
    for reader in READERS:
        if reader.accepts(path):
            return reader
    name = path.name.casefold()
    for suffixes, mend in _NOT_READ:
        if name.endswith(suffixes):
            raise CatalogueUnreadable(f"no reader accepts {path}: {mend}")
    known = ", ".join(reader.name for reader in READERS)
    raise CatalogueUnreadable(f"no reader accepts {path}: the known formats are {known}")
