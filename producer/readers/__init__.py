"""Readers of catalogues: one file per format, chosen by looking at the path."""

from __future__ import annotations

from producer.readers.catalogue import (
    Catalogue,
    CatalogueFile,
    CatalogueReader,
    CatalogueRow,
    ImageContent,
    ParsedCatalogue,
    RefusedPath,
)
from producer.readers.columns import parse_columns, read_columns
from producer.readers.errors import CatalogueUnreadable
from producer.readers.read import read_catalogue
from producer.readers.registry import READERS, reader_for

__all__ = [
    "READERS",
    "Catalogue",
    "CatalogueFile",
    "CatalogueReader",
    "CatalogueRow",
    "CatalogueUnreadable",
    "ImageContent",
    "ParsedCatalogue",
    "RefusedPath",
    "parse_columns",
    "read_catalogue",
    "read_columns",
    "reader_for",
]
