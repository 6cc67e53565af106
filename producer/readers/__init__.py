"""Readers of catalogues: one file per format, chosen by looking at the path."""

from __future__ import annotations

from producer.readers.catalogue import Catalogue, CatalogueFile, CatalogueRow, Reader, Refusal, Rows
from producer.readers.errors import CatalogueUnreadable
from producer.readers.registry import READERS, choose, read_catalogue

__all__ = [
    "READERS",
    "Catalogue",
    "CatalogueFile",
    "CatalogueRow",
    "CatalogueUnreadable",
    "Reader",
    "Refusal",
    "Rows",
    "choose",
    "read_catalogue",
]
