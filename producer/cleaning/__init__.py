"""Cleaning: repairs before it drops, and accounts for every row and file."""

from __future__ import annotations

from producer.cleaning.account import Account, FileFate, RowFate, account
from producer.cleaning.artists import known_artist
from producer.cleaning.facts import Cell, CleanWork, clean
from producer.cleaning.join import Copy, Draft, join
from producer.cleaning.lists import names_in
from producer.cleaning.names import Name, name_of
from producer.cleaning.spelling import repaired
from producer.cleaning.styles import WIKIART_STYLES, style_name

__all__ = [
    "WIKIART_STYLES",
    "Account",
    "Cell",
    "CleanWork",
    "Copy",
    "Draft",
    "FileFate",
    "Name",
    "RowFate",
    "account",
    "clean",
    "join",
    "known_artist",
    "name_of",
    "names_in",
    "repaired",
    "style_name",
]
