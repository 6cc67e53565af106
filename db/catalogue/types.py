"""What a catalogue and its files tell of artworks, and what writing it changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.enums import ImageState


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
