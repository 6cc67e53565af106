"""What a file name says: `Style/artist-slug_title-slug-year.jpg`."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from producer.cleaning.spelling import is_broken, repaired

_YEAR = re.compile(r"-(?:1\d|20)\d\d$")
_TWIN = re.compile(r"\(\d+\)$")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """A file name taken apart, its spelling repaired."""

    #: `artist-slug_title-slug[-year][(n)]`: the work's stable key.
    key: str
    #: None where the name has no `_`.
    artist: str | None
    title: str | None
    #: The folder it lies in, as spelled; empty at the root.
    folder: str
    broken: bool


def name_of(path: str, *, names_tell: bool = True) -> Name:
    """Take a path apart.

    A name without `artist_`, or one in a catalogue whose names promise nothing, does not tell its work: there the key is the whole path
    without its extension.
    """
    folder, base = posixpath.split(path)
    raw = posixpath.splitext(base)[0]
    stem = _slug(repaired(raw))
    artist, underscore, title = stem.partition("_")
    telling = names_tell and bool(underscore) and bool(artist) and bool(title)
    return Name(
        key=stem if telling else _slug(repaired(posixpath.splitext(path)[0])),
        artist=words(artist) if telling else None,
        title=title_words(title if telling else stem),
        folder=posixpath.basename(folder),
        broken=not (raw.isascii() and "#U" not in raw) and is_broken(raw),
    )


def words(slug: str) -> str:
    """A slug as words: `joaquín-sorolla` is "joaquín sorolla"."""
    return " ".join(slug.replace("-", " ").replace("_", " ").split())


def title_words(slug: str) -> str | None:
    """A title's slug as words, without its year and without the number that tells twins apart; None if nothing is left."""
    bare = _YEAR.sub("", _TWIN.sub("", slug))
    return words(bare) or words(slug) or None


def _slug(stem: str) -> str:
    """Blanks (a no-break space ends some artists' names) at the edges of a part go, those within become hyphens."""
    if _BLANKS.search(stem) is None:
        return stem
    return "_".join(_BLANKS.sub("-", part.strip()) for part in stem.split("_"))
