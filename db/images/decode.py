"""Bytes to an upright RGB image, whatever the file: CMYK, palette, transparency, 16 bits, animation, rotation, colour profile, damage.

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
from db.images.damage import damage_reason, png_damage_reason
from db.images.errors import UnreadableImage
from db.images.memory_budget import DECODING, decoding_bytes
from db.images.png_chunks import SIGNATURE, LeanPng, lean_png

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

#: The largest image that is decoded, in pixels: Pillow's own bound for a decompression bomb, 0.7 GiB as Pillow stores RGB.
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


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """What `DecodedImage` says of an image, without its pixels."""

    width: int
    height: int
    mode: str
    format: str
    animated: bool


def decode_image(data: bytes) -> DecodedImage:
    """Decode an image to upright RGB. Waits while other threads decode large ones, so that memory stays bounded.

    Raises:
        UnreadableImage: the bytes are empty, no image, truncated, broken, damaged, or larger than `MAX_PIXELS`.
    """
    source = _open(data)
    progressive = bool(source.info.get("progressive") or source.info.get("progression"))
    with DECODING.held(decoding_bytes(source.width, source.height, source.mode, progressive=progressive)):
        decoded = _decode(data, source)
    DECODING.keep(decoded.image)
    return decoded


def inspect_image(data: bytes) -> ImageFacts:
    """Decode an image and forget its pixels while the memory for them is still held. Raises what `decode_image` raises."""
    source = _open(data)
    progressive = bool(source.info.get("progressive") or source.info.get("progression"))
    with DECODING.held(decoding_bytes(source.width, source.height, source.mode, progressive=progressive)):
        decoded = _decode(data, source)
        facts = ImageFacts(width=decoded.width, height=decoded.height, mode=decoded.mode, format=decoded.format, animated=decoded.animated)
        del decoded, source
    return facts


def content_hash(data: bytes) -> str:
    """SHA-256 of the file's bytes, as 64 hex digits: its name in the image store."""
    return hashlib.sha256(data).hexdigest()


def pixel_hash(image: Image.Image) -> str:
    """SHA-256 over mode, size and pixels, as 64 hex digits: equal for equal images in whatever file format."""
    digest = hashlib.sha256(f"{image.mode} {image.width}x{image.height}\n".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


def _open(data: bytes) -> ImageFile:
    """The image with its header read and checked, and its pixels not yet decoded."""
    if not data:
        raise UnreadableImage("empty file")
    Image.init()  # once for the process: without it Pillow knows its five commonest formats only
    # Pillow warns where a file is odd but readable, and for bombs below the bound. This filter names Pillow alone and may be set any number
    # of times from any thread, which `warnings.catch_warnings` may not.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        png = lean_png(data) if data.startswith(SIGNATURE) else LeanPng(data=data)
        source = Image.open(BytesIO(png.data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise UnreadableImage("not an image of a known format") from error
    except Image.DecompressionBombError as error:
        raise _bomb(error) from error
    except MemoryError:
        raise
    except Exception as error:  # a broken header may raise anything out of a decoder
        raise UnreadableImage(_reason(error, "header")) from error
    if source.width * source.height > MAX_PIXELS:
        raise UnreadableImage(f"decompression bomb: {source.width} x {source.height} px")
    if png.profile is not None:
        source.info["icc_profile"] = png.profile
    if png.cicp is not None:
        source.info["cicp"] = png.cicp
    return source


def _decode(data: bytes, source: ImageFile) -> DecodedImage:
    """The pixels of an opened image. `source` is used up."""
    mode, name = source.mode, source.format or ""
    damage = png_damage_reason(data) if name == "PNG" else None
    if damage is not None:
        raise UnreadableImage(damage)
    try:
        animated = getattr(source, "n_frames", 1) > 1
        source.load()
        damage = damage_reason(data, source)
        turn = _UPRIGHT.get(_orientation(source))
        image = to_rgb(source, consume=True) if damage is None else source
    except MemoryError:
        raise
    except Image.DecompressionBombError as error:
        raise _bomb(error) from error
    except Exception as error:
        raise UnreadableImage(_reason(error, name)) from error
    if damage is not None:
        raise UnreadableImage(damage)
    if image is not source:
        source.close()  # frees its pixels, whoever still holds it
    if turn is not None:
        image = image.transpose(turn)
    image.info = {}
    return DecodedImage(image=image, width=image.width, height=image.height, mode=mode, format=name, animated=animated)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1, upright, where there is none."""
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG)
    except Exception:  # noqa: BLE001 - broken EXIF raises anything, and the image is good without it
        return 1
    return orientation if isinstance(orientation, int) else 1


def _bomb(error: Image.DecompressionBombError) -> UnreadableImage:
    pixels = next((word.lstrip("(") for word in str(error).split() if word.lstrip("(").isdigit()), "too many")
    return UnreadableImage(f"decompression bomb: {pixels} pixels, the limit is {MAX_PIXELS}")


def _reason(error: Exception, name: str) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if "truncated" in text.lower():
        return "truncated"
    return f"broken {name}: {text[:200]}"
