"""Cleaning: repairs before it drops anything, and explains what became of every row and file."""

from __future__ import annotations

from producer.cleaning.artists import known_artist
from producer.cleaning.facts import CellOutcome, CleanedArtwork, clean_artwork
from producer.cleaning.file_names import ParsedFileName, parse_file_name
from producer.cleaning.join import ArtworkCopy, JoinedArtwork, join_catalogue
from producer.cleaning.lists import split_names
from producer.cleaning.reconciliation import FileOutcome, Reconciliation, RowOutcome, reconcile
from producer.cleaning.spelling import repair_spelling
from producer.cleaning.styles import WIKIART_STYLES, style_name

__all__ = [
    "WIKIART_STYLES",
    "ArtworkCopy",
    "CellOutcome",
    "CleanedArtwork",
    "FileOutcome",
    "JoinedArtwork",
    "ParsedFileName",
    "Reconciliation",
    "RowOutcome",
    "clean_artwork",
    "join_catalogue",
    "known_artist",
    "parse_file_name",
    "reconcile",
    "repair_spelling",
    "split_names",
    "style_name",
]
