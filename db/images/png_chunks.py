"""A PNG's chunks: those that a decoder needs, without the text and profiles that it would refuse the image for.

Pillow refuses a PNG whose text or profile inflates to more than a megabyte, which guards against bombs and loses good pixels. Here such
chunks are left out before it opens the file; a profile of a size that exists is kept and handed on beside it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: Bytes to which one text may inflate, which is what Pillow allows, and all of them together.
MAX_TEXT, MAX_ALL_TEXT = 1 << 20, 16 << 20
#: Bytes to which a profile may inflate; those of printing presses have 0.5 to 4 MB.
MAX_PROFILE = 16 << 20

_TEXT = (b"tEXt", b"zTXt", b"iTXt")
#: Ancillary chunks that change what the image looks like: a broken one is not left out in silence.
_NEEDED = (b"tRNS", b"acTL", b"fcTL", b"fdAT")


@dataclass(frozen=True, kw_only=True, slots=True)
class PngChunk:
    """One chunk: its four letters and where its content lies in the file."""

    name: bytes
    start: int
    length: int

    def content(self, data: bytes) -> bytes:
        """Its content."""
        return data[self.start : self.start + self.length]

    def is_sound(self, data: bytes) -> bool:
        """Whether its checksum is right."""
        end = self.start + self.length
        return zlib.crc32(memoryview(data)[self.start - 4 : end]) == int.from_bytes(data[end : end + 4])

    @property
    def is_ancillary(self) -> bool:
        """Whether a decoder may do without it."""
        return bool(self.name[0] & 0x20)


@dataclass(frozen=True, kw_only=True)
class LeanPng:
    """A PNG that Pillow opens."""

    data: bytes
    #: A profile that was taken out because Pillow would refuse its size.
    profile: bytes | None = None
    #: The cICP chunk: colour primaries, transfer function, matrix, full range (ITU-T H.273).
    cicp: tuple[int, ...] | None = None


def png_chunks(data: bytes) -> Iterator[PngChunk]:
    """The chunks up to the last one that lies in the file whole."""
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4])
        chunk = PngChunk(name=data[position + 4 : position + 8], start=position + 8, length=length)
        if chunk.start + length + 4 > len(data):
            return
        yield chunk
        if chunk.name == b"IEND":
            return
        position = chunk.start + length + 4


def lean_png(data: bytes) -> LeanPng:
    """The PNG without metadata that it would be refused for: too large, of unknown compression, or broken. Pixels are not touched."""
    left_out: list[PngChunk] = []
    profile: bytes | None = None
    cicp: tuple[int, ...] | None = None
    text = 0
    for chunk in png_chunks(data):
        if not chunk.is_ancillary or chunk.name in _NEEDED:
            continue
        if not chunk.is_sound(data):
            left_out.append(chunk)
        elif chunk.name in _TEXT:
            size = _text_size(chunk.name, chunk.content(data))
            text += size or 0
            if size is None or text > MAX_ALL_TEXT:
                left_out.append(chunk)
        elif chunk.name == b"iCCP":
            content = _profile(chunk.content(data))
            if content is None or len(content) > MAX_TEXT:
                left_out.append(chunk)
                profile = content
        elif chunk.name == b"cICP" and chunk.length == 4:  # noqa: PLR2004  # one byte each
            cicp = tuple(chunk.content(data))
    return LeanPng(data=_without(data, left_out), profile=profile, cicp=cicp)


def _without(data: bytes, chunks: list[PngChunk]) -> bytes:
    pieces, position = [], 0
    for chunk in chunks:
        pieces.append(data[position : chunk.start - 8])
        position = chunk.start + chunk.length + 4
    return b"".join([*pieces, data[position:]]) if chunks else data


def _text_size(name: bytes, content: bytes) -> int | None:
    """How many bytes the text has; None if it is too large or cannot be read."""
    if name == b"tEXt":
        return len(content) if len(content) <= MAX_TEXT else None
    packed = content.partition(b"\0")[2]
    if name == b"iTXt":
        compressed, method = packed[:1] == b"\1", packed[1:2]
        packed = packed[2:].partition(b"\0")[2].partition(b"\0")[2]
        if not compressed:
            return len(packed) if len(packed) <= MAX_TEXT else None
        packed = method + packed
    if packed[:1] != b"\0":
        return None
    inflated = _inflated(packed[1:], MAX_TEXT)
    return None if inflated is None else len(inflated)


def _profile(content: bytes) -> bytes | None:
    packed = content.partition(b"\0")[2]
    return _inflated(packed[1:], MAX_PROFILE) if packed[:1] == b"\0" else None


def _inflated(packed: bytes, limit: int) -> bytes | None:
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(packed, limit)
    except zlib.error:
        return None
    return None if stream.unconsumed_tail else content
