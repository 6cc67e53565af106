"""Embedded colour profiles to sRGB, through Little CMS.

No profile is judged by its name: "GIMP built-in Linear sRGB" is not sRGB. One that changes no colour of a grid by more than a level is, and
leaves the pixels as they are.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from io import BytesIO
from typing import Literal, cast

from PIL import Image, ImageChops, ImageCms

Space = Literal["RGB", "GRAY", "CMYK"]

#: Levels (0-255) up to which a profile changes nothing.
SAME = 1

#: Steps of the grid of colours that a profile is tried on, along each axis.
_STEPS = 17

#: Profiles of which is kept what they do: a catalogue has a few, in thousands of images.
_CACHED = 16

#: Tables for grey are small enough to be computed exactly; Little CMS would interpolate between 33 points, 9 levels off in linear darks.
_EXACT = ImageCms.Flags.NOOPTIMIZE | ImageCms.Flags.BLACKPOINTCOMPENSATION
_FAST = ImageCms.Flags.BLACKPOINTCOMPENSATION


class Conversion:
    """What one profile does to colours on their way to sRGB: relative colorimetric, with black point compensation."""

    def __init__(self, profile: ImageCms.ImageCmsProfile, space: Space) -> None:
        self._profile = profile
        self.space = space

    def apply(self, image: Image.Image) -> Image.Image:
        """An RGB or RGBA image in its own place, a CMYK image as a new RGB one; alpha stays."""
        if self.space == "CMYK":
            made = ImageCms.applyTransform(image, self._transform("CMYK", "RGB", _FAST))
            assert made is not None  # only None in place
            return made
        ImageCms.applyTransform(image, self._transform(image.mode, image.mode, _FAST), inPlace=True)
        return image

    def colour_of_greys(self) -> bytes:
        """The colour of each of 256 greys, as a palette of RGB."""
        ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
        return self._tried(ramp).tobytes()

    def level_of_deep_greys(self) -> bytes:
        """The level of each of 65,536 greys."""
        ramp = Image.frombytes("I;16", (256, 256), struct.pack("<65536H", *range(65536)))
        return self._tried(ramp).getchannel(1).tobytes()

    def changes_nothing(self) -> bool:
        """Whether no colour moves by more than a level: the profile is sRGB, whatever it is called."""
        if self.space == "CMYK":
            return False
        if self.space == "GRAY":
            before = Image.frombytes("RGB", (256, 1), bytes(value for value in range(256) for _ in range(3)))
            after = Image.frombytes("RGB", (256, 1), self.colour_of_greys())
        else:
            before = _grid()
            after = self.apply(before.copy())
        return max(cast("tuple[int, int]", band.getextrema())[1] for band in ImageChops.difference(before, after).split()) <= SAME

    def _tried(self, ramp: Image.Image) -> Image.Image:
        made = ImageCms.applyTransform(ramp, self._transform(ramp.mode, "RGB", _EXACT))
        assert made is not None
        return made

    def _transform(self, source: str, target: str, flags: ImageCms.Flags) -> ImageCms.ImageCmsTransform:
        return ImageCms.buildTransform(
            self._profile, _srgb(), source, target, renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, flags=flags
        )


@lru_cache(maxsize=_CACHED)
def conversion(data: bytes, space: Space) -> Conversion | None:
    """What the profile does to an image of this colour space; None if pixels stay: it is broken, of another space, or sRGB."""
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(data))
        if profile.profile.xcolor_space.strip() != space:
            return None
        found = Conversion(profile, space)
        if space == "CMYK":
            found.apply(Image.new("CMYK", (1, 1)))  # whether it can be used at all
            return found
        return None if found.changes_nothing() else found
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a bad profile is no reason to lose the image
        return None


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _grid() -> Image.Image:
    axis = [step * 255 // (_STEPS - 1) for step in range(_STEPS)]
    colours = bytes(value for red in axis for green in axis for blue in axis for value in (red, green, blue))
    return Image.frombytes("RGB", (_STEPS * _STEPS, _STEPS), colours)
