"""Text in drawn pages: a font that every machine has, and lines that fit a column."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from PIL import ImageFont

if TYPE_CHECKING:
    from PIL import ImageDraw


@cache
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans as matplotlib brings it: a machine may have no fonts, and titles have letters of many languages."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / name, size)


def wrapped(draw: ImageDraw.ImageDraw, text: str, width: int, size: int = 14) -> list[str]:
    """The text in lines of at most `width` pixels, a longer word in a line of its own."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and draw.textlength(longer, font=font(size)) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
