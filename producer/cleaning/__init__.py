"""Cleaning: repairs before it drops, and accounts for every row and file."""

from __future__ import annotations

from producer.cleaning.artists import known_artist
from producer.cleaning.facts import Cell, CleanWork, clean
from producer.cleaning.join import Copy, Draft, join
from producer.cleaning.lists import names_in
from producer.cleaning.names import Name, name_of
from producer.cleaning.reconciliation import FileOutcome, Reconciliation, RowOutcome, reconcile
from producer.cleaning.spelling import repaired
from producer.cleaning.styles import WIKIART_STYLES, style_name

__all__ = [
    "WIKIART_STYLES",
    "Cell",
    "CleanWork",
    "Copy",
    "Draft",
    "FileOutcome",
    "Name",
    "Reconciliation",
    "RowOutcome",
    "clean",
    "join",
    "known_artist",
    "name_of",
    "names_in",
    "reconcile",
    "repaired",
    "style_name",
]
