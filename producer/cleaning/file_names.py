"""What a file name says: `Style/artist-slug_title-slug-year.jpg`."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from producer.cleaning.device_names import is_device_name
from producer.cleaning.spelling import is_broken, repair_spelling

_YEAR = re.compile(r"-(?:1\d|20)\d\d$")
_NUMBER = re.compile(r"\(\d+\)$")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedFileName:
    """The parts of a file name, their spelling repaired."""

    #: `artist-slug_title-slug[-year][(n)]`: the artwork's stable key.
    key: str
    #: None where the name has no `_`.
    artist: str | None
    title: str | None
    #: The folder that contains it, as spelled; empty at the root.
    folder: str
    #: The folder that names its style, as spelled; empty if none does.
    style: str
    broken: bool


def parse_file_name(path: str, *, names_identify: bool = True, tells: bool | None = None, style: str | None = None) -> ParsedFileName:
    """Split a path into what it says of its artwork.

    A name without `artist_`, or one in a catalogue whose names follow no convention, does not identify its artwork: there the key is the
    whole path without its extension.

    Args:
        path: relative to the image root.
        names_identify: whether the name, not the whole path, is the artwork's key.
        tells: whether the name tells artist and title; as `names_identify` if not given.
        style: the folder that names the style; the one that contains the file if not given.
    """
    tells = names_identify if tells is None else tells
    folder, base = posixpath.split(path)
    raw = posixpath.splitext(base)[0]
    stem = _slug(repair_spelling(raw))
    artist, underscore, title = stem.partition("_")
    parted = bool(underscore) and bool(artist) and bool(title)
    return ParsedFileName(
        key=stem if names_identify and parted else _slug(repair_spelling(posixpath.splitext(path)[0])),
        artist=words(artist) if tells and parted else None,
        title=title_words(title) if tells and parted else None if is_device_name(stem) else title_words(stem),
        folder=posixpath.basename(folder),
        style=posixpath.basename(folder) if style is None else style,
        broken=not (raw.isascii() and "#U" not in raw) and is_broken(raw),
    )


def words(slug: str) -> str:
    """A slug as words: `joaquín-sorolla` is "joaquín sorolla"."""
    return " ".join(slug.replace("-", " ").replace("_", " ").split())


def title_words(slug: str) -> str | None:
    """A title's slug as words, without its year and without the number that distinguishes equal names; None if nothing is left."""
    bare = _YEAR.sub("", _NUMBER.sub("", slug))
    return words(bare) or words(slug) or None


def _slug(stem: str) -> str:
    """Blanks at the edges of a part are removed (a no-break space ends some artists' names), those within become hyphens."""
    if _BLANKS.search(stem) is None:
        return stem
    return "_".join(_BLANKS.sub("-", part.strip()) for part in stem.split("_"))
