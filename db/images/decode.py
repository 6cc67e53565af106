"""Bytes to an upright RGB image, whatever the file: CMYK, palette, transparency, 16 bits, animation, rotation, colour profile.

Everything downstream (captioner, canvas, embeddings) sees RGB and nothing else, so the decisions are taken here, once: transparency lies on
white paper, deep greys are scaled and not clipped, of an animation the first frame counts, and a colour profile is applied and dropped.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from db.images.colour import to_rgb
from db.images.errors import UnreadableImage

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

#: The largest image that is decoded, in pixels: Pillow's own bound for a decompression bomb, 0.5 GiB as RGB.
MAX_PIXELS = 178_956_970

#: Raster formats with a decoder inside Pillow; what starts another program (EPS) or draws vectors (WMF) stays out.
FORMATS = ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "AVIF", "JPEG2000", "BMP", "PPM", "TGA")

_ORIENTATION_TAG = 0x0112

#: EXIF orientation to the transposition that brings the image upright (EXIF 2.3, 4.6.4 A).
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, kw_only=True)
class DecodedImage:
    """A decoded image: RGB, upright, without metadata. `width` and `height` are the upright ones, in pixels."""

    image: Image.Image
    width: int
    height: int
    #: Pillow's name of the file's own mode, such as "CMYK" or "I;16".
    mode: str
    #: Pillow's name of the file format, such as "JPEG".
    format: str
    #: True if the file holds more frames (animation, pages): the first one was read.
    animated: bool


def decode_image(data: bytes) -> DecodedImage:
    """Decode an image to upright RGB.

    Raises:
        UnreadableImage: the bytes are empty, no image, truncated, broken, or larger than `MAX_PIXELS`.
    """
    if not data:
        raise UnreadableImage("empty file")
    # Pillow warns where a file is odd but readable, and for bombs below the bound. This filter names Pillow alone and may be set any number
    # of times from any thread, which `warnings.catch_warnings` may not.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    source = _open(data)
    if source.width * source.height > MAX_PIXELS:
        raise UnreadableImage(f"decompression bomb: {source.width} x {source.height} px")
    mode, name = source.mode, source.format or ""
    try:
        animated = getattr(source, "n_frames", 1) > 1
        source.load()
        image = to_rgb(_upright(source))
    except MemoryError:
        raise
    except Image.DecompressionBombError as error:
        raise _bomb(error) from error
    except Exception as error:
        raise UnreadableImage(_reason(error, name)) from error
    image.info = {}
    return DecodedImage(image=image, width=image.width, height=image.height, mode=mode, format=name, animated=animated)


def content_hash(data: bytes) -> str:
    """SHA-256 of the file's bytes, as 64 hex digits: its name in the image store."""
    return hashlib.sha256(data).hexdigest()


def pixel_hash(image: Image.Image) -> str:
    """SHA-256 over mode, size and pixels, as 64 hex digits: equal for equal images in whatever file format."""
    digest = hashlib.sha256(f"{image.mode} {image.width}x{image.height}\n".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


def _open(data: bytes) -> ImageFile:
    Image.init()  # once for the process: without it Pillow knows its five commonest formats only
    try:
        return Image.open(BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise UnreadableImage("not an image of a known format") from error
    except Image.DecompressionBombError as error:
        raise _bomb(error) from error
    except MemoryError:
        raise
    except Exception as error:  # a broken header may raise anything out of a decoder
        raise UnreadableImage(_reason(error, "header")) from error


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG)
    except Exception:  # noqa: BLE001 - broken EXIF raises anything, and the image is good without it
        return image
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _bomb(error: Image.DecompressionBombError) -> UnreadableImage:
    pixels = next((word.lstrip("(") for word in str(error).split() if word.lstrip("(").isdigit()), "too many")
    return UnreadableImage(f"decompression bomb: {pixels} pixels, the limit is {MAX_PIXELS}")


def _reason(error: Exception, name: str) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if "truncated" in text.lower():
        return "truncated"
    return f"broken {name}: {text[:200]}"
