"""What is searched: pictures with their facts, their vectors, and an index over these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from db.results.pairs import Original, Repaint
    from trainer.search.index import VectorIndex


class PictureKind(StrEnum):
    """What a picture of a gallery is."""

    ORIGINAL = "original"
    REPAINT = "repaint"


class SearchedPictures(StrEnum):
    """Which pictures of a campaign are searched."""

    ORIGINALS = "originals"
    REPAINTS = "repaints"
    BOTH = "both"

    @property
    def kinds(self) -> tuple[PictureKind, ...]:
        """The kinds, originals first."""
        chosen = {"originals": (PictureKind.ORIGINAL,), "repaints": (PictureKind.REPAINT,)}
        return chosen.get(self.value, tuple(PictureKind))


@dataclass(frozen=True, kw_only=True)
class GalleryPicture:
    """The facts of one picture; of a repaint, artist, title and style are its original's."""

    kind: PictureKind
    #: Of the artwork.
    key: str
    #: Copies of one work share it.
    group: str
    artist: str | None
    title: str | None
    style: str | None
    #: None for an original.
    level: str | None
    content_hash: str
    #: Where it lies if not in the store.
    link: str | None


@dataclass(frozen=True, kw_only=True)
class SearchGallery:
    """Pictures of one kind; the index's row i is picture i."""

    kind: PictureKind
    pictures: tuple[GalleryPicture, ...]
    index: VectorIndex
    #: Content hash to the reason why a picture is not in it.
    unreadable: dict[str, str]

    def __len__(self) -> int:
        return len(self.pictures)

    def groups(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Numbers of the groups of copies of these rows: equal ones for copies of one work."""
        _, numbers = np.unique([self.pictures[row].group for row in rows.tolist()], return_inverse=True)
        return numbers.astype(np.int64)


def original_picture(original: Original) -> GalleryPicture:
    """An original as a picture of a gallery."""
    return _picture(original, PictureKind.ORIGINAL, None, original.content_hash, original.link)


def repaint_picture(repaint: Repaint, original: Original) -> GalleryPicture:
    """A repaint as a picture of a gallery."""
    return _picture(original, PictureKind.REPAINT, repaint.level, repaint.content_hash, None)


def _picture(original: Original, kind: PictureKind, level: str | None, content_hash: str, link: str | None) -> GalleryPicture:
    return GalleryPicture(
        kind=kind,
        key=original.key,
        group=original.group_key,
        artist=original.artist,
        title=original.title,
        style=original.style,
        level=level,
        content_hash=content_hash,
        link=link,
    )
