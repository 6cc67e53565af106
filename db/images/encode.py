"""An image to bytes with its provenance inside, and the provenance back out.

The metadata holds only what follows from the plan, so equal pixels under one plan give equal bytes. It is written as ASCII JSON with sorted
keys where tools look: EXIF UserComment in JPEG and WebP, an iTXt chunk named "paragone" in PNG.
"""

from __future__ import annotations

import json
import os
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from PIL import ExifTags, Image, PngImagePlugin

from db.images.errors import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Mapping

ImageFormat = Literal["jpeg", "png", "webp"]

EXTENSIONS: dict[str, str] = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}
MEDIA_TYPES: dict[str, str] = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}

#: Name of the PNG text chunk.
PNG_KEY = "paragone"

#: The eight bytes that tell a UserComment's character code (EXIF 2.3, 4.6.5 B).
_ASCII_CODE = b"ASCII\0\0\0"

#: A JPEG's EXIF lies in one APP1 segment, whose length is a 16-bit number.
_MAX_EXIF_BYTES = 65_533 - 6


def encode(image: Image.Image, *, format: ImageFormat, quality: int = 95, metadata: Mapping[str, Any]) -> bytes:  # noqa: A002
    """Encode as JPEG (4:4:4), PNG or WebP with `metadata` inside; the same image and metadata give the same bytes.

    `quality` (1-100) holds for JPEG and WebP. Raises `ValueError` for another format, or metadata that fits no EXIF block.
    """
    plain = image.convert("RGB")
    plain.info = {}  # Pillow would write what it finds there: profiles, resolution, comments
    text = json.dumps(metadata, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    with _buffer() as buffer:
        _save(plain, buffer, format, quality, text)
        buffer.seek(0)
        return buffer.read()


def _buffer() -> BinaryIO:
    """Memory that is a file where the system has such a thing: into a file Pillow encodes without holding up Python's other threads."""
    return open(os.memfd_create("paragone"), "w+b") if hasattr(os, "memfd_create") else BytesIO()  # noqa: PTH123  # no path


def _save(plain: Image.Image, buffer: BinaryIO, format: ImageFormat, quality: int, text: str) -> None:  # noqa: A002
    if format == "jpeg":
        plain.save(buffer, "JPEG", quality=quality, subsampling="4:4:4", exif=_exif(text))
    elif format == "png":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt(PNG_KEY, text)
        plain.save(buffer, "PNG", pnginfo=chunks)
    elif format == "webp":
        plain.save(buffer, "WEBP", quality=quality, exif=_exif(text))
    else:
        raise ValueError(f"no image format {format!r}: choose jpeg, png or webp")


def read_metadata(data: bytes) -> dict[str, Any]:
    """What `encode` was given as `metadata`; empty for images that others wrote. Raises `UnreadableImage` if it is no image."""
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
            text = image.info.get(PNG_KEY) if image.format == "PNG" else _user_comment(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadableImage("not a JPEG, PNG or WebP image") from error
    try:
        value = json.loads(text) if text else {}
    except ValueError:  # somebody else's comment
        return {}
    return value if isinstance(value, dict) else {}


def extension(format: str) -> str:  # noqa: A002
    """The file name's ending with its dot, such as ".jpg" for "jpeg". Raises `ValueError` for a format that is never written."""
    if format not in EXTENSIONS:
        raise ValueError(f"no image format {format!r}: choose jpeg, png or webp")
    return EXTENSIONS[format]


def _exif(text: str) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = _ASCII_CODE + text.encode("ascii")
    block = exif.tobytes()
    if len(block) > _MAX_EXIF_BYTES:
        raise ValueError(f"{len(text)} characters of metadata do not fit into an EXIF block of 64 KiB")
    return block


def _user_comment(image: Image.Image) -> str:
    comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment, b"")
    if not isinstance(comment, bytes) or not comment.startswith(_ASCII_CODE):
        return ""
    return comment.removeprefix(_ASCII_CODE).decode("ascii", errors="replace")
