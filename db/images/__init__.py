"""Images: decode any file, lay it on a canvas, encode it with its provenance, check a repaint."""

from __future__ import annotations

from db.images.canvas import ContentBox, content_box, crop, letterbox
from db.images.decode import (
    MAX_PIXELS,
    DecodedImage,
    ImageFacts,
    content_hash,
    decode_image,
    inspect_image,
    pixel_hash,
)
from db.images.degenerate import degenerate_reason
from db.images.encode import EXTENSIONS, MEDIA_TYPES, ImageFormat, encode, extension, read_metadata
from db.images.errors import UnreadableImage
from db.images.preparation import Preparation, PreparedImage, bucket, buckets, prepare, prepared_original

__all__ = [
    "EXTENSIONS",
    "MAX_PIXELS",
    "MEDIA_TYPES",
    "ContentBox",
    "DecodedImage",
    "ImageFacts",
    "ImageFormat",
    "Preparation",
    "PreparedImage",
    "UnreadableImage",
    "bucket",
    "buckets",
    "content_box",
    "content_hash",
    "crop",
    "decode_image",
    "degenerate_reason",
    "encode",
    "extension",
    "inspect_image",
    "letterbox",
    "pixel_hash",
    "prepare",
    "prepared_original",
    "read_metadata",
]
