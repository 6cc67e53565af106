"""What a catalogue and its files tell of artworks, and what writing it changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.enums import ImageState


def gaps(*, style: str | None, artist: str | None) -> str | None:
    """Why an artwork is left out of campaigns; None if nothing is missing."""
    return ", ".join(gap for gap, fact in (("no style", style), ("no artist", artist)) if fact is None) or None


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtworkPath:
    """One path under which an artwork's file lies, relative to the image root."""

    path: str
    style: str | None
    repaired: bool
    #: Size in bytes and time of the file when it was read; None if it was not, or could not be.
    byte_size: int | None = None
    modified_ns: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtworkImage:
    """What opening an artwork's files showed: its original, or the reason why there is none. Sizes in pixels, upright."""

    #: The path whose file is the original, or the first of those that cannot be read.
    path: str
    #: Why it cannot be read; None if it can.
    reason: str | None = None
    content_hash: str | None = None
    byte_size: int | None = None
    width: int | None = None
    height: int | None = None
    mode: str | None = None
    #: Absolute path of an original that stays where it is.
    link: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogueArtwork:
    """One artwork as a catalogue and its files describe it."""

    key: str
    artist: str | None
    title: str | None
    style: str | None
    styles: tuple[str, ...]
    subset: str | None
    incomplete: str | None
    extra: Mapping[str, str] = field(default_factory=dict)
    #: Whether a row of the catalogue describes it.
    listed: bool = True
    paths: tuple[ArtworkPath, ...] = ()
    #: None if its files were not opened this time: what the database knows of its original stays.
    picture: ArtworkImage | None = None
    #: Key of the registered artwork that its unchanged files belong to; None if that has to be found out.
    owner: str | None = None
    #: Paths that its rows name, whether files lie there or not.
    named: tuple[str, ...] = ()
    #: Facts ("artist", "style") that the operator gave for all: they fill gaps only.
    filled: frozenset[str] = frozenset()
    #: Whether it was recognised as an artwork that is registered under another name: facts of both are kept.
    joined: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownPath:
    """What the database knows of a file: whether to open it again."""

    key: str
    byte_size: int | None
    modified_ns: int | None
    #: The artwork's, as are the hash of its original, the link and the size in pixels.
    picture: ImageState
    content_hash: str | None
    link: str | None
    width: int | None
    height: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownFacts:
    """What is known of the artwork whose file lies at a path."""

    path: str
    artist: str | None = None
    title: str | None = None
    style: str | None = None
    subset: str | None = None


@dataclass(kw_only=True)
class RecognisedArtworks:
    """Which artworks the coming ones turned out to be."""

    #: Ids of all of them.
    ids: set[int] = field(default_factory=set)
    #: Key of each that takes no part in campaigns, and why, by id, after its facts were merged with what was known.
    incomplete: dict[int, tuple[str, str]] = field(default_factory=dict)
    #: Name to the key of the artwork with the same bytes that it was joined to.
    joined: dict[str, str] = field(default_factory=dict)
    #: Key to the name that another picture has already.
    same_name: dict[str, str] = field(default_factory=dict)
    #: Keys of artworks whose known file has other bytes now.
    replaced: list[str] = field(default_factory=list)

    def add(self, other: RecognisedArtworks) -> None:
        """Take in what a later transaction recognised."""
        self.ids |= other.ids
        for the_id in other.ids - other.incomplete.keys():
            self.incomplete.pop(the_id, None)
        self.incomplete.update(other.incomplete)
        self.joined.update(other.joined)
        self.same_name.update(other.same_name)
        self.replaced += other.replaced


@dataclass(kw_only=True)
class CatalogueChanges:
    """What an import into the catalogue changed."""

    #: Artworks that were not known.
    new: int = 0
    #: Artworks with other facts than before.
    changed: int = 0
    #: Artworks whose original was seen for the first time, repaired or replaced.
    arrived: int = 0
    #: Paths that were not known.
    new_paths: int = 0
    #: Jobs that had waited for an original and are ready now.
    readied: int = 0

    def add(self, other: CatalogueChanges) -> None:
        """Count another's changes in."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
