"""Pictures: read anything, lay it on a canvas, write it with its provenance, judge a repaint."""

from __future__ import annotations

from db.pictures.canvas import ContentBox, content_box, crop, letterbox
from db.pictures.decode import MAX_PIXELS, Picture, content_hash, pixel_hash, read_picture
from db.pictures.degenerate import degenerate_reason
from db.pictures.encode import EXTENSIONS, MEDIA_TYPES, ImageFormat, encode, extension, read_metadata
from db.pictures.errors import UnreadablePicture

__all__ = [
    "EXTENSIONS",
    "MAX_PIXELS",
    "MEDIA_TYPES",
    "ContentBox",
    "ImageFormat",
    "Picture",
    "UnreadablePicture",
    "content_box",
    "content_hash",
    "crop",
    "degenerate_reason",
    "encode",
    "extension",
    "letterbox",
    "pixel_hash",
    "read_metadata",
    "read_picture",
]
