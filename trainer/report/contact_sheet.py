"""The contact sheet: originals in the first column, their repaints beside them, captions and prompts beneath."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from trainer.report.lettering import font, wrapped
from trainer.report.thumbnails import fitted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trainer.report.content import ExampleArtwork

#: Sizes in pixels.
_WIDTH, _HEIGHT, _GAP, _MARGIN, _TEXT, _HEAD = 380, 440, 28, 48, 152, 56
_LINES = 6
_PAPER, _INK, _FAINT = "#fbfaf7", "#23201c", "#6f685d"

UNTRAINED = "tiny random models: images and captions mean nothing; this shows that the machinery works"


def draw_sheet(examples: Sequence[ExampleArtwork], levels: Sequence[str], path: Path, *, untrained: bool) -> None:
    """Write the sheet as a PNG; without examples it says that there are no repaints yet."""
    columns = ["original", *levels]
    heights = [max(_fitted(image).height for image in _images(example)) + _TEXT for example in examples]
    top = _MARGIN + _HEAD + (_HEAD if untrained else 0)
    size = (_left(len(columns)) - _GAP + _MARGIN, top + (sum(heights) or _HEIGHT) + _MARGIN // 2)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    if untrained:
        draw.rectangle((0, 0, size[0], _HEAD), fill="#f6e3b8")
        draw.text((_MARGIN, _HEAD / 2), UNTRAINED, font=font(18, bold=True), fill="#5c4409", anchor="lm")
    for index, name in enumerate(columns):
        draw.text((_left(index), top - 20), name, font=font(22, bold=True), fill=_INK, anchor="ls")
    for example, height in zip(examples, heights, strict=True):
        _row(sheet, draw, example, columns, top)
        top += height
    if not examples:
        draw.text((_MARGIN, top + 40), "no repaints yet", font=font(22), fill=_FAINT, anchor="lm")
    sheet.save(path, "PNG")


def _row(sheet: Image.Image, draw: ImageDraw.ImageDraw, example: ExampleArtwork, columns: Sequence[str], top: int) -> None:
    _cell(sheet, draw, example.image, (_left(0), top), [f"{example.title}, {example.artist}", example.caption])
    for repaint in example.repaints:
        _cell(sheet, draw, repaint.image, (_left(columns.index(repaint.level)), top), [repaint.prompt, repaint.recaption])


def _cell(sheet: Image.Image, draw: ImageDraw.ImageDraw, image: Image.Image, corner: tuple[int, int], texts: Sequence[str | None]) -> None:
    """An image, beneath it a title or prompt and a caption."""
    left, top = corner
    small = _fitted(image)
    sheet.paste(small, corner)
    dark, faint = ([] if text is None else wrapped(draw, text, _WIDTH) for text in texts)
    most = _LINES - min(len(faint), 1)
    if len(dark) > most:
        dark = [*dark[: most - 1], f"{dark[most - 1]} ..."]
    top += small.height + 9
    for line, colour in [*((line, _INK) for line in dark), *((line, _FAINT) for line in faint)][:_LINES]:
        draw.text((left, top), line, font=font(14), fill=colour)
        top += 20


def _images(example: ExampleArtwork) -> list[Image.Image]:
    return [example.image, *(repaint.image for repaint in example.repaints)]


def _fitted(image: Image.Image) -> Image.Image:
    return fitted(image, _WIDTH, _HEIGHT)


def _left(column: int) -> int:
    return _MARGIN + column * (_WIDTH + _GAP)
