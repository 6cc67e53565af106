"""Evidence in the bitstream that an image is damaged though its decoder was content.

libjpeg fills with grey what it finds no data for, and decodes a hole of zeros as if it were an image; both are warnings that Pillow does
not hand on. A flat grey area proves nothing (it may be art), so the file itself is asked: bytes put after the end of a whole scan change no
pixel, while a decoder that ran out of data reads them; and the last bytes of a whole scan do change pixels, while those behind a hole,
where the decoder has lost its step, may not. Ordinary files are told by a look at their last block and a search for equal bytes; only
suspects, and progressive files, of which any scan may have been cut, are decoded again.
"""

from __future__ import annotations

import random
import re
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, cast

from PIL import Image, ImageChops

from db.images.jpeg_scans import read_layout
from db.images.png_chunks import png_chunks

if TYPE_CHECKING:
    from db.images.jpeg_scans import JpegLayout, Scan

#: Equal bytes in a row that may be a hole: zeros, or others, which are looked for at every `_STRIDE`th byte. Image data look like noise;
#: only flat areas under optimised Huffman codes have as many, and are told apart below.
HOLE_BYTES = 64
_STRIDE = 32
#: Equal bytes before a marker that may be padding: then the image data end before them.
_PADDING = 8
_EQUAL = re.compile(rb"(.)\1{3}", re.DOTALL)

#: Bytes of the filler: a few blocks of any image. None is 0 or 255, so that no marker comes about.
_FILLER = bytes(random.Random(64).randrange(1, 255) for _ in range(64))

#: What a decoder without data leaves, in any of a JPEG's modes: the middle of the range, inverted or not.
_MIDDLE = (127, 128)

#: Above so many pixels the decodes are compared at half their size.
_LARGE = 16_000_000
#: Rows are compared in strips of about so many pixels.
_STRIP = 1 << 20

_MARKER_BYTE = 0xFF
_MARKER = re.compile(rb"\xff[\x01-\xfe]")


def damage_reason(data: bytes, image: Image.Image) -> str | None:
    """Why the image that was decoded from these bytes is not whole, in one clause; None if nothing speaks against it."""
    if image.format in {"JPEG", "MPO"}:
        return _jpeg_damage(data, image)
    return None


def png_damage_reason(data: bytes) -> str | None:
    """Why a PNG's image data are not what was written: they fail both their checksums; None for anything else. Decodes nothing."""
    parts = [chunk for chunk in png_chunks(data) if chunk.name == b"IDAT"]
    if all(chunk.is_sound(data) for chunk in parts):
        return None
    stream = zlib.decompressobj()
    try:
        for chunk in parts:
            rest: bytes = chunk.content(data)
            while rest and not stream.eof:
                stream.decompress(rest, 1 << 20)
                rest = stream.unconsumed_tail
    except zlib.error:
        pass
    return None if stream.eof else "damaged: its image data fail their checksums"


def _jpeg_damage(data: bytes, image: Image.Image) -> str | None:
    layout = read_layout(data)
    if layout is None or image.size != (layout.width, layout.height):
        return None
    if not layout.is_covered():
        return "damaged: its last scans are missing"
    missing, expected = layout.missing_restarts(data)
    if missing:
        return f"damaged: {missing} of its {expected} restart markers are missing"
    decoded = _Decoded(data, image)
    if len(layout.scans) > 1 or _ends_in_grey(image, layout):
        row = decoded.first_change(*[(_end(data, scan.end), b"") for scan in layout.scans])
        if row is not None:
            return _cut_reason(layout, row, image.height)
    return next((reason for scan in layout.scans if (reason := _hole(data, scan, decoded))), None)


def _cut_reason(layout: JpegLayout, row: int, height: int) -> str:
    if layout.progressive:
        return "damaged: its image data end early, in the middle of a scan"
    return f"damaged: its image data end early, the lower {max(1, round(100 * (1 - row / height)))} % is one flat grey"


def _ends_in_grey(image: Image.Image, layout: JpegLayout) -> bool:
    """Whether the last block is exactly what a decoder leaves that has no data for it."""
    (across, down), (width, height) = layout.mcu, image.size
    columns, rows = min(8, (width - 1) % across + 1), min(8, (height - 1) % down + 1)
    bands = image.crop((width - columns, height - rows, width, height)).split()
    extrema = [cast("tuple[int, int]", band.getextrema()) for band in bands]
    return all(low == high and low in _MIDDLE for low, high in extrema)


def _hole(data: bytes, scan: Scan, decoded: _Decoded) -> str | None:
    """The reason why equal bytes in a scan are a hole; None where there are none, or they are data of an image that ends as it should."""
    start = _equal_bytes(data, scan)
    if start is None:
        return None
    length = scan.end - start - len(data[start : scan.end].lstrip(data[start : start + 1]))
    marker = _MARKER.search(data, start, scan.end)
    end = _end(data, marker.start() if marker else scan.end)
    if decoded.first_change((end, b"")) is None:
        rest = data[start + length : end]
        padding = len(rest) - len(rest.rstrip(rest[-1:]))
        end -= padding if padding >= _PADDING else 0
        tail = max(start + 1, end - len(_FILLER))
        if data[tail - 1] == _MARKER_BYTE:  # the zero behind it is part of it
            tail += 1
        if decoded.first_change((tail, data[tail:end])) is not None:
            return None
        if decoded.first_change((start + 8, data[start + 8 : start + 24])) is None:
            return None  # padding behind the data
    return f"damaged: {length} bytes of {data[start]:#04x} lie in its image data where the image should go on"


def _equal_bytes(data: bytes, scan: Scan) -> int | None:
    """Where the first run of equal bytes begins."""
    start = data.find(bytes(HOLE_BYTES), scan.start, scan.end)
    if start >= 0:
        return start
    for found in _EQUAL.finditer(data[scan.start : scan.end : _STRIDE]):
        start = scan.start + found.start() * _STRIDE
        run = data[start : start + 3 * _STRIDE + 1]
        if run.count(run[:1]) == len(run):
            return start
    return None


def _end(data: bytes, end: int) -> int:
    while data[end - 1] == _MARKER_BYTE:  # fill bytes of the marker
        end -= 1
    return end


class _Decoded:
    """A JPEG as it was decoded, and what changes when its bytes do."""

    def __init__(self, data: bytes, image: Image.Image) -> None:
        self._data = data
        self._shrink = 2 if image.width * image.height > _LARGE else 1
        self._image: Image.Image | None = image if self._shrink == 1 else None
        self._size = (image.width // self._shrink, image.height // self._shrink)

    def first_change(self, *places: tuple[int, bytes]) -> int | None:
        """The first row that changes if at each place (ascending) these bytes are overwritten, or a few are put in; None if none does."""
        before = self._image = self._image or self._decode(self._data)
        pieces, position = [], 0
        for start, replaced in places:
            pieces += [self._data[position:start], (_FILLER * (len(replaced) // len(_FILLER) + 1))[: len(replaced) or len(_FILLER)]]
            position = start + len(replaced)
        after = self._decode(b"".join([*pieces, self._data[position:]]))
        if before is None or after is None or (before.size, before.mode) != (after.size, after.mode):
            return 0 if any(replaced for _, replaced in places) else None  # what breaks the file was in use
        row = _first_difference(before, after)
        return None if row is None else row * self._shrink

    def _decode(self, data: bytes) -> Image.Image | None:
        try:
            image = Image.open(BytesIO(data), formats=("JPEG",))
            if self._shrink > 1:
                image.draft(None, self._size)
            image.load()
        except (OSError, SyntaxError, ValueError):
            return None
        return image


def _first_difference(one: Image.Image, other: Image.Image) -> int | None:
    step = max(1, _STRIP // one.width)
    for top in range(0, one.height, step):
        strip = (0, top, one.width, min(one.height, top + step))
        box = ImageChops.difference(one.crop(strip), other.crop(strip)).getbbox()
        if box is not None:
            return top + box[1]
    return None
