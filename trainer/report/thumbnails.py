"""Thumbnails for the page: read from the store, made small, embedded in the page itself."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import TYPE_CHECKING

from PIL.Image import Resampling

from db.errors import BlobMissing
from db.images import UnreadableImage, decode_image
from db.results.pairs import Original, read_image_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

    from db.results.pairs import Repaint
    from db.store import Store

#: Longest side of an image on the page, in pixels: sharp on a phone, and a page of thirty stays near a megabyte.
THUMBNAIL = 512


def read_or_none(store: Store, source: Original | Repaint) -> Image | None:
    """The image of an original or a repaint, or None where its file is missing or broken."""
    link = source.link if isinstance(source, Original) else None
    try:
        return decode_image(read_image_bytes(store, source.content_hash, link)).image
    except (BlobMissing, UnreadableImage, OSError):
        return None


def data_uri(image: Image) -> str:
    """A small JPEG as text, so that the page needs no file beside it."""
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL), Resampling.LANCZOS)
    buffer = BytesIO()
    small.save(buffer, "JPEG", quality=86)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def fitted(image: Image, width: int, height: int) -> Image:
    """The image as large as the box allows, enlarged if it is smaller."""
    scale = min(width / image.width, height / image.height)
    return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Resampling.LANCZOS)
