"""The contact sheet: originals in the first column, their repaints beside them, captions and prompts beneath."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

from trainer.report.pictures import fitted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.report.facts import Example

#: Sizes in pixels.
_CELL, _GAP, _MARGIN, _TEXT, _HEAD = 380, 28, 48, 112, 56
_LINES = 5
_PAPER, _INK, _FAINT, _BOX = "#fbfaf7", "#23201c", "#7d766b", "#f1eee7"

UNTRAINED = "tiny random models: pictures and captions mean nothing; this shows that the machinery works"


def draw_sheet(examples: Sequence[Example], levels: Sequence[str], path: Path, *, untrained: bool) -> None:
    """Write the sheet as a PNG; an empty sheet says that there is nothing yet."""
    columns = ["original", *levels]
    width = 2 * _MARGIN + len(columns) * _CELL + (len(columns) - 1) * _GAP
    top = _MARGIN + _HEAD + (_HEAD if untrained else 0)
    row = _CELL + _TEXT + _GAP
    sheet = Image.new("RGB", (width, top + max(1, len(examples)) * row + _MARGIN - _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    if untrained:
        draw.rectangle((0, 0, width, _HEAD), fill="#f6e3b8")
        draw.text((_MARGIN, _HEAD / 2), UNTRAINED, font=_font(18, bold=True), fill="#5c4409", anchor="lm")
    for index, name in enumerate(columns):
        draw.text((_left(index), top - 20), name, font=_font(22, bold=True), fill=_INK, anchor="ls")
    for number, example in enumerate(examples):
        _row(sheet, draw, example, columns, top + number * row)
    if not examples:
        draw.text((_MARGIN, top + _CELL / 2), "no repaints yet", font=_font(22), fill=_FAINT, anchor="lm")
    sheet.save(path, "PNG", optimize=True)


def _row(sheet: Image.Image, draw: ImageDraw.ImageDraw, example: Example, columns: Sequence[str], top: int) -> None:
    by_level = {repaint.level: repaint for repaint in example.repaints}
    _cell(sheet, draw, example.image, (_left(0), top), f"{example.title}, {example.artist}. {example.caption or ''}")
    for index, level in enumerate(columns[1:], start=1):
        repaint = by_level.get(level)
        if repaint is not None:
            _cell(sheet, draw, repaint.image, (_left(index), top), repaint.prompt)


def _cell(sheet: Image.Image, draw: ImageDraw.ImageDraw, image: Image.Image, corner: tuple[int, int], text: str) -> None:
    left, top = corner
    draw.rectangle((left, top, left + _CELL - 1, top + _CELL - 1), fill=_BOX)
    small = fitted(image, _CELL, _CELL)
    sheet.paste(small, (left + (_CELL - small.width) // 2, top + (_CELL - small.height) // 2))
    font = _font(14)
    per_line = int(_CELL / draw.textlength("abcdefghijklmnopqrstuvwxyz ", font=font) * 27)
    lines = textwrap.wrap(" ".join(text.split()), per_line, max_lines=_LINES, placeholder=" …")
    draw.multiline_text((left, top + _CELL + 10), "\n".join(lines), font=font, fill=_FAINT, spacing=5)


def _left(column: int) -> int:
    return _MARGIN + column * (_CELL + _GAP)


def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans as matplotlib brings it: a machine may have no fonts, and titles have letters of many languages."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / name, size)
