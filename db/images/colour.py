"""Any of Pillow's modes to RGB in sRGB.

Large images go strip by strip, so that beside the source and the result no third copy of them lies in memory.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from PIL import Image

from db.images.described_colours import described_profile
from db.images.profiles import Conversion, Space, conversion

if TYPE_CHECKING:
    from collections.abc import Callable

#: Modes with more than eight bits to a pixel in their only band.
DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")

#: The colour space that a profile must be of to describe an image of this mode. Lab needs none, and has a meaning of its own.
_SPACES: dict[str, Space] = {
    **dict.fromkeys(("L", "LA", "La", *DEEP_MODES), "GRAY"),
    **dict.fromkeys(("RGB", "RGBA", "RGBa", "RGBX", "P", "PA", "YCbCr", "HSV"), "RGB"),
    "CMYK": "CMYK",
}

_WHITE_16, _WHITE_8 = 65535, 255

#: Pixels that are converted at once.
_STRIP = 1 << 22


def to_rgb(image: Image.Image, *, consume: bool = False) -> Image.Image:
    """A new RGB image: deep greys scaled to 8 bits, colours turned to sRGB by their profile or a PNG's description, transparency on white.

    With `consume` a large RGB image may be converted in its own place and returned itself.

    Raises `ValueError` for pixels that are not finite.
    """
    converted = _conversion_of(image)
    if image.mode in DEEP_MODES:
        return _in_strips(image, _deep_to_rgb(image, converted))
    if image.has_transparency_data:
        return _in_strips(image, lambda strip: _on_white(strip, converted))
    if image.mode == "RGB":
        return _rgb_to_srgb(image if consume and image.width * image.height > _STRIP else image.convert("RGB"), converted)
    return _in_strips(image, lambda strip: _opaque(strip, converted))


def _conversion_of(image: Image.Image) -> Conversion | None:
    space = _SPACES.get(image.mode)
    if space is None:
        return None
    described = described_profile(image.info, grey=space == "GRAY") if space != "CMYK" else None
    profile = image.info.get("icc_profile") if described is None else described
    return conversion(profile, space) if isinstance(profile, bytes) and profile else None


def _in_strips(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    if image.width * image.height <= _STRIP:
        return convert(image)
    made = Image.new("RGB", image.size)
    step = max(1, _STRIP // image.width)
    for top in range(0, image.height, step):
        made.paste(convert(image.crop((0, top, image.width, min(image.height, top + step)))), (0, top))
    return made


def _rgb_to_srgb(image: Image.Image, converted: Conversion | None) -> Image.Image:
    """The image itself, its pixels changed."""
    return image if converted is None else converted.apply(image)


def _opaque(image: Image.Image, converted: Conversion | None) -> Image.Image:
    if converted is None or converted.space == "RGB":
        return _rgb_to_srgb(image.convert("RGB"), converted)
    return _coloured(image, converted) if converted.space == "GRAY" else converted.apply(image)


def _on_white(image: Image.Image, converted: Conversion | None) -> Image.Image:
    """Colours come first: the white that the image lies on is that of sRGB."""
    if image.mode == "La":  # premultiplied grey converts to LA alone
        image = image.convert("LA")
    if converted is not None and converted.space == "GRAY":
        grey, alpha = image.convert("LA").split()
        front = _coloured(grey, converted)
        front.putalpha(alpha)
    else:
        front = image.convert("RGBA")
        if converted is not None:
            converted.apply(front)
    paper = Image.new("RGBA", front.size, "white")
    return Image.alpha_composite(paper, front).convert("RGB")


def _coloured(grey: Image.Image, converted: Conversion) -> Image.Image:
    """An L image in the colours that its profile gives to its greys."""
    indexed = grey.copy()
    indexed.putpalette(converted.colour_of_greys())
    return indexed.convert("RGB")


def _deep_to_rgb(image: Image.Image, converted: Conversion | None) -> Callable[[Image.Image], Image.Image]:
    """How strips of this image become 8 bits, over its whole range; `Image.convert` would clip at 255."""
    if image.mode.startswith("I;16") or image.format in ("PNG", "PPM"):
        levels = [(value * _WHITE_8 + _WHITE_16 // 2) // _WHITE_16 for value in range(_WHITE_16 + 1)]
        if converted is not None:
            levels = list(converted.level_of_deep_greys())
        see_through = image.info.get("transparency")
        if isinstance(see_through, int) and 0 <= see_through <= _WHITE_16:
            levels[see_through] = _WHITE_8  # on white
        return lambda strip: strip.convert("I").point(levels, "L").convert("RGB")
    low, high = cast("tuple[float, float]", image.getextrema())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("pixels that are not finite")
    black, white = _range(low, high, floating=image.mode == "F")
    scale = _WHITE_8 / (white - black)
    offset = 0.5 - black * scale  # conversion to L cuts off the fraction
    return lambda strip: _opaque(strip.point(lambda value: value * scale + offset).convert("L"), converted)


def _range(low: float, high: float, *, floating: bool) -> tuple[float, float]:
    """Black and white of pixels whose file does not say: the smallest customary range that holds them, else their own."""
    customary = (1.0, _WHITE_8, _WHITE_16) if floating else (_WHITE_8, _WHITE_16, 2**31 - 1)
    if low >= 0:
        for white in customary:
            if high <= white:
                return 0.0, float(white)
    return float(low), float(high) if high > low else float(low) + 1.0
