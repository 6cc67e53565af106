"""Any of Pillow's modes to RGB in sRGB."""

from __future__ import annotations

import math
from io import BytesIO
from typing import cast

from PIL import Image, ImageCms

#: Modes with more than eight bits to a pixel in their only band.
DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")

#: A profile's colour space, as ICC spells it, to the mode of the pixels that it describes.
_MODE_OF_SPACE = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}

_WHITE_16, _WHITE_8 = 65535, 255


def to_rgb(image: Image.Image) -> Image.Image:
    """A new RGB image: deep greys scaled to 8 bits, transparency on white, the embedded profile turned to sRGB if it can be used."""
    profile = image.info.get("icc_profile")
    if image.mode in DEEP_MODES:
        image = _scaled_to_8_bits(image)
    elif image.has_transparency_data:
        image = _on_white(image)
    elif image.mode in ("P", "1", "YCbCr", "HSV"):
        image = image.convert("RGB")
    managed = _through_profile(image, profile) if isinstance(profile, bytes) and profile else None
    return managed or image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "La":  # premultiplied grey converts to LA alone
        image = image.convert("LA")
    front = image.convert("RGBA")
    paper = Image.new("RGBA", front.size, "white")
    return Image.alpha_composite(paper, front).convert("RGB")


def _scaled_to_8_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, integer or float, to L over its whole range; `Image.convert` would clip at 255."""
    sixteen = image.mode.startswith("I;16") or image.format in ("PNG", "PPM")
    wide = image if image.mode in ("I", "F") else image.convert("I")
    low, high = cast("tuple[float, float]", wide.getextrema())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("pixels that are not finite")
    black, white = (0.0, float(_WHITE_16)) if sixteen else _range(low, high, floating=image.mode == "F")
    scale = _WHITE_8 / (white - black)
    offset = 0.5 - black * scale  # conversion to L cuts off the fraction
    return wide.point(lambda value: value * scale + offset).convert("L")


def _range(low: float, high: float, *, floating: bool) -> tuple[float, float]:
    """Black and white of pixels whose file does not say: the smallest customary range that holds them, else their own."""
    customary = (1.0, _WHITE_8, _WHITE_16) if floating else (_WHITE_8, _WHITE_16, 2**31 - 1)
    if low >= 0:
        for white in customary:
            if high <= white:
                return 0.0, float(white)
    return float(low), float(high) if high > low else float(low) + 1.0


def _through_profile(image: Image.Image, data: bytes) -> Image.Image | None:
    """The image in sRGB, or None where the profile is broken, of another colour space, or sRGB already."""
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(data))
        if _MODE_OF_SPACE.get(profile.profile.xcolor_space.strip()) != image.mode:
            return None
        if "sRGB" in (profile.profile.profile_description or ""):
            return None
        return ImageCms.profileToProfile(
            image,
            profile,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a bad profile is no reason to lose the image
        return None
