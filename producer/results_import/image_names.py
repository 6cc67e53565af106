"""What is left of an image's name when the folders, the spelling and the marks that programs append are taken away."""

from __future__ import annotations

import posixpath
import re

from producer.cleaning import repair_spelling
from producer.readers.files import is_image

#: What programs that resize and repaint append: `_resize1024`, `-768x768`, `_generated`, `_radical`.
_MARK = re.compile(
    r"[-_ .]+(?:"
    r"(?:resized?|scaled|upscaled|letterbox(?:ed)?|square|px)[-_]?\d*|\d{2,5}(?:px|x\d{2,5}(?:px)?)"
    r"|generated|gen|repaint(?:ed)?|output|sdxl|img2img|original|moderate|radical|subtle"
    r")$"
)
_SEPARATORS = re.compile(r"[-_\s.]+")


def path_parts(named: str) -> list[str]:
    """The parts of a path as somebody wrote it, on whatever system, absolute or not; empty if it names nothing."""
    if not named or "\0" in named:
        return []
    return [part for part in named.replace("\\", "/").split("/") if part not in {"", ".", ".."}]


def stem_of(named: str) -> str:
    """The file's name without folder and extension, its spelling repaired, in lower case, `-`, `_` and blanks alike."""
    base = (path_parts(named) or [""])[-1]
    stem = posixpath.splitext(base)[0] if is_image(base) else base
    return _SEPARATORS.sub("-", repair_spelling(stem).casefold()).strip("-")


def bare_stem(named: str) -> str:
    """The same without the marks at its end; a name that is nothing but a mark stays."""
    stem = stem_of(named)
    while (shorter := _MARK.sub("", stem)) != stem and shorter:
        stem = shorter
    return stem


def without_extension(named: str) -> str:
    """The path without an image file's extension."""
    return posixpath.splitext(named)[0] if is_image(named) else named
