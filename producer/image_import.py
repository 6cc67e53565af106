"""Every image of a catalogue is opened once: read, decoded, hashed, and copied into the store unless it stays where it is."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from db.catalogue.types import ArtworkImage
from db.enums import ImageState
from db.images import UnreadableImage, content_hash, inspect_image
from producer.readers.errors import CatalogueUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from db.catalogue.types import KnownPath
    from db.store import Store
    from producer.cleaning import ArtworkCopy, CleanedArtwork
    from producer.readers import CatalogueFile

#: Larger files are not images that a campaign could use; they would fill the memory before they could be checked.
MAX_BYTES = 2**30

#: Artworks whose images are in flight at once: bounds the results in memory at any size of catalogue.
AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedArtwork:
    """One artwork after its files were opened."""

    artwork: CleanedArtwork
    #: None if no file had to be opened: none is there, or none has changed.
    image: ArtworkImage | None
    #: Files that cannot be read, by path, with the reason.
    unreadable: Mapping[str, str]
    #: Width and height in pixels, from this import or an earlier one; None if no image was ever read.
    size: tuple[int, int] | None
    #: Whether it was known and its original was put back into the store, which had lost it.
    refilled: bool = False
    #: All of its files that were opened and can be read, by path.
    opened: Mapping[str, ArtworkImage] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ImageImporter:
    """How images are opened in this ingest: what is known of them, and where their bytes go."""

    known: Mapping[str, KnownPath]
    #: None leaves the bytes where they are: with `link`, or when nothing is to be written.
    store: Store | None
    link: bool
    #: Hashes of known originals that the store does not hold any more.
    lost: AbstractSet[str] = frozenset()
    threads: int = min(4, os.cpu_count() or 1)

    def import_all(self, artworks: Iterable[CleanedArtwork]) -> Iterator[ImportedArtwork]:
        """Artworks in their order, each with its image; decoding and hashing run in parallel threads."""
        remaining = iter(artworks)
        with ThreadPoolExecutor(self.threads, thread_name_prefix="image-import") as pool:
            while chunk := list(islice(remaining, AT_ONCE)):
                running = [self._without_opening(artwork) or pool.submit(self.import_artwork, artwork) for artwork in chunk]
                yield from (imported.result() if isinstance(imported, Future) else imported for imported in running)

    def _without_opening(self, artwork: CleanedArtwork) -> ImportedArtwork | None:
        """The artwork as it is if no file has to be opened."""
        copies = [copy for copy in artwork.copies if copy.file.can_be_opened]
        if self.link and any(copy.file.content is not None for copy in copies):
            raise CatalogueUnreadable("images inside shards cannot be linked: ingest without --link, which copies them into the store")
        if copies and not self._unchanged(copies):
            return None
        known = self.known.get(copies[0].file.path) if copies else None
        size = (known.width, known.height) if known and known.width and known.height else None
        return ImportedArtwork(artwork=artwork, image=None, unreadable={}, size=size)

    def import_artwork(self, artwork: CleanedArtwork) -> ImportedArtwork:
        """Open all files of one artwork; the first that can be read is its original."""
        copies = [copy for copy in artwork.copies if copy.file.can_be_opened]
        opened: dict[str, ArtworkImage] = {}
        unreadable: dict[str, str] = {}
        for copy in copies:
            try:
                opened[copy.file.path] = self._open(copy, kept={image.content_hash for image in opened.values()})
            except UnreadableImage as error:
                unreadable[copy.file.path] = str(error)
        if not opened:
            path, reason = next(iter(unreadable.items()))
            return ImportedArtwork(artwork=artwork, image=ArtworkImage(path=path, reason=reason), unreadable=unreadable, size=None)
        image = next(iter(opened.values()))
        size = (image.width or 0, image.height or 0)
        refilled = self.store is not None and any(one.content_hash in self.lost for one in opened.values())
        return ImportedArtwork(artwork=artwork, image=image, unreadable=unreadable, size=size, refilled=refilled, opened=opened)

    def _unchanged(self, copies: list[ArtworkCopy]) -> bool:
        """Whether all files are as they were at the last import, and are kept where they should be."""
        links = {str(copy.file.location) for copy in copies} if self.link else {None}
        return all(
            known is not None
            and known.picture is ImageState.PRESENT
            and (known.byte_size, known.modified_ns) == (copy.file.byte_size, copy.file.modified_ns)
            and known.link in links
            and (self.link or known.content_hash not in self.lost)
            for known, copy in ((self.known.get(copy.file.path), copy) for copy in copies)
        )

    def _open(self, copy: ArtworkCopy, *, kept: AbstractSet[str | None]) -> ArtworkImage:
        """One file; its bytes go into the store unless `kept` says that this artwork's are there already."""
        location = copy.file.location
        data = read_file(copy.file)
        decoded = inspect_image(data)
        if self.link and not _is_utf8(str(location)):
            raise UnreadableImage("its path is not UTF-8 and cannot be linked: rename it, or ingest without --link")
        digest = content_hash(data)
        if digest not in kept and self.store is not None:
            self.store.put(data)
        return ArtworkImage(
            path=copy.file.path,
            content_hash=digest,
            byte_size=len(data),
            width=decoded.width,
            height=decoded.height,
            mode=decoded.mode,
            link=str(location) if self.link else None,
        )


def read_file(file: CatalogueFile) -> bytes:
    """The bytes of a catalogue's image; raises `UnreadableImage`."""
    try:
        if file.content is not None:
            return _bounded(file.content.read())
        location = file.location
        assert location is not None
        if location.stat().st_size > MAX_BYTES:
            raise UnreadableImage(f"larger than {MAX_BYTES >> 20} MiB")
        return location.read_bytes()
    except OSError as error:
        raise UnreadableImage(f"the file cannot be read: {error.strerror or error}") from None


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise UnreadableImage(f"larger than {MAX_BYTES >> 20} MiB")
    return data


def _is_utf8(location: str) -> bool:
    try:
        location.encode()
    except UnicodeEncodeError:
        return False
    return True
