"""Every picture of a catalogue opened once: read, decoded, hashed, and copied into the store unless it stays where it is."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from db.catalogue.types import ArtworkImage
from db.enums import ImageState
from db.images import UnreadableImage, content_hash, decode_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from db.catalogue.types import KnownPath
    from db.store import Store
    from producer.cleaning import CleanWork, Copy

#: Larger files are no pictures that a campaign could use; they would fill the memory before they could be judged.
MAX_BYTES = 2**30

#: Works whose pictures are in flight at once: keeps results short at any size of catalogue.
AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedArtwork:
    """One work after its files were looked at."""

    work: CleanWork
    #: None if no file had to be opened: none is there, or none has changed.
    picture: ArtworkImage | None
    #: Files that cannot be read, by path, with the reason.
    unreadable: Mapping[str, str]
    #: Width and height in pixels, from this opening or an earlier one; None if no picture was ever read.
    size: tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class ImageImporter:
    """How pictures are opened in this ingest: what is known of them, and where their bytes go."""

    known: Mapping[str, KnownPath]
    #: None leaves the bytes where they are: with `link`, or when nothing is to be written.
    store: Store | None
    link: bool
    threads: int = min(4, os.cpu_count() or 1)

    def open_all(self, works: Iterable[CleanWork]) -> Iterator[ImportedArtwork]:
        """Works in their order, each with its picture; Pillow and hashing work beside each other in threads."""
        coming = iter(works)
        with ThreadPoolExecutor(self.threads, thread_name_prefix="opening") as pool:
            while some := list(islice(coming, AT_ONCE)):
                running = [self._settled(work) or pool.submit(self.open_work, work) for work in some]
                yield from (opened.result() if isinstance(opened, Future) else opened for opened in running)

    def _settled(self, work: CleanWork) -> ImportedArtwork | None:
        """The work as it is if no file has to be opened."""
        copies = [copy for copy in work.copies if copy.file.location is not None]
        if copies and not self._unchanged(work, copies):
            return None
        seen = self.known.get(copies[0].file.path) if copies else None
        size = (seen.width, seen.height) if seen and seen.width and seen.height else None
        return ImportedArtwork(work=work, picture=None, unreadable={}, size=size)

    def open_work(self, work: CleanWork) -> ImportedArtwork:
        """Open all files of one work; the first that can be read is its picture."""
        copies = [copy for copy in work.copies if copy.file.location is not None]
        picture: ArtworkImage | None = None
        unreadable: dict[str, str] = {}
        for copy in copies:
            try:
                opened = self._open(copy, keep=picture is None)
            except UnreadableImage as error:
                unreadable[copy.file.path] = str(error)
            else:
                picture = picture or opened
        if picture is None:
            path, reason = next(iter(unreadable.items()))
            return ImportedArtwork(work=work, picture=ArtworkImage(path=path, reason=reason), unreadable=unreadable, size=None)
        return ImportedArtwork(work=work, picture=picture, unreadable=unreadable, size=(picture.width or 0, picture.height or 0))

    def _unchanged(self, work: CleanWork, copies: list[Copy]) -> bool:
        """Whether all files are as they were at the last opening, belong to the same work, and are kept in the way asked for."""
        seen = [self.known.get(copy.file.path) for copy in copies]
        links = {str(copy.file.location) for copy in copies} if self.link else {None}
        return all(
            known is not None
            and known.key == work.key
            and known.picture is ImageState.PRESENT
            and (known.byte_size, known.modified_ns) == (copy.file.byte_size, copy.file.modified_ns)
            and known.link in links
            for known, copy in zip(seen, copies, strict=True)
        )

    def _open(self, copy: Copy, *, keep: bool) -> ArtworkImage:
        location = copy.file.location
        assert location is not None
        data = _bytes(location)
        picture = decode_image(data)
        if self.link and not _is_utf8(location):
            raise UnreadableImage("its path is not UTF-8 and cannot be linked: rename it, or ingest without --link")
        if keep and self.store is not None:
            self.store.put(data)
        return ArtworkImage(
            path=copy.file.path,
            content_hash=content_hash(data),
            byte_size=len(data),
            width=picture.width,
            height=picture.height,
            mode=picture.mode,
            link=str(location) if self.link else None,
        )


def _bytes(location: Path) -> bytes:
    try:
        if location.stat().st_size > MAX_BYTES:
            raise UnreadableImage(f"larger than {MAX_BYTES >> 20} MiB")
        return location.read_bytes()
    except OSError as error:
        raise UnreadableImage(f"the file cannot be read: {error.strerror}") from None


def _is_utf8(location: Path) -> bool:
    try:
        str(location).encode()
    except UnicodeEncodeError:
        return False
    return True
