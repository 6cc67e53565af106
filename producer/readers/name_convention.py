"""Whether a catalogue's file names are of the form `artist_title`, so that they identify the artwork."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from producer.readers.catalogue import CatalogueRow

#: Share of rows whose file name must begin with their artist's name. Damaged spellings and unknown artists make up the rest.
FOLLOWING = 0.5

_LETTERS = re.compile(r"[^a-z0-9]+")


def names_follow_artists(rows: Iterable[CatalogueRow]) -> bool:
    """Whether file names are of the form `artist_title`, judged by the artists that the rows name; True if none names one."""
    compared = following = 0
    for row in rows:
        if artist := _letters(row.artist):
            slug, underscore, title = posixpath.basename(row.path.replace("\\", "/")).partition("_")
            compared += 1
            following += bool(underscore and posixpath.splitext(title)[0]) and _alike(_letters(slug), artist)
    return following >= FOLLOWING * compared


def _letters(name: str) -> str:
    return _LETTERS.sub("", unicodedata.normalize("NFD", name).casefold())


def _alike(one: str, other: str) -> bool:
    """Equal, or one begins the other: letters that an encoding damaged are gone from both."""
    return bool(one) and (one.startswith(other) or other.startswith(one))
