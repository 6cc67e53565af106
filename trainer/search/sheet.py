"""The sheet: a row a query, its picture left, the pictures that are most like it beside it, captions beneath."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from db.errors import BlobMissing
from db.images import UnreadableImage, decode_image
from db.results.pairs import read_image_bytes
from trainer.report.lettering import font, wrapped
from trainer.report.thumbnails import fitted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from db.store import Store
    from trainer.search.origin_finder import OriginSearch, SimilarPicture

#: Sizes in pixels.
_WIDTH, _HEIGHT, _GAP, _MARGIN, _LINE, _HEAD = 240, 260, 24, 40, 19, 46
_LINES = 6
_PAPER, _INK, _FAINT, _RULE = "#fbfaf7", "#23201c", "#6f685d", "#ddd6ca"

#: Queries that one sheet shows at most.
MOST_QUERIES = 50


@dataclass(frozen=True, kw_only=True)
class _Cell:
    image: Image.Image | None
    lines: tuple[str, ...]


def draw_similar(searches: Sequence[tuple[OriginSearch, Image.Image]], store: Store, path: Path) -> None:
    """Write the first `MOST_QUERIES` searches, each with its query's image, as a PNG.

    A picture that cannot be read leaves its place empty.
    """
    shown = searches[:MOST_QUERIES]
    most = max((len(search.pictures) for search, _ in shown), default=0)
    row = _HEAD + _HEIGHT + _LINES * _LINE + _GAP
    sheet = Image.new("RGB", (_left(most + 1) - _GAP + _MARGIN, _MARGIN + row * len(shown)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (search, image) in enumerate(shown):
        top = _MARGIN + number * row
        if number:
            draw.line((_MARGIN, top - _GAP // 2, sheet.width - _MARGIN, top - _GAP // 2), fill=_RULE)
        draw.text((_MARGIN, top + 24), _answer(search), font=font(18, bold=True), fill=_INK, anchor="ls")
        _draw_cell(sheet, draw, _Cell(image=image, lines=("the query", search.query.rsplit("/", 1)[-1])), 0, top + _HEAD)
        for one in search.pictures:
            _draw_cell(sheet, draw, _Cell(image=_read(store, one), lines=_caption(one)), one.rank, top + _HEAD)
    sheet.save(path, "PNG")


def _draw_cell(sheet: Image.Image, draw: ImageDraw.ImageDraw, cell: _Cell, column: int, top: int) -> None:
    left = _left(column)
    if cell.image is None:
        draw.rectangle((left, top, left + _WIDTH, top + _HEIGHT), outline=_RULE)
        draw.text((left + _WIDTH / 2, top + _HEIGHT / 2), "cannot be read", font=font(14), fill=_FAINT, anchor="mm")
    else:
        small = fitted(cell.image, _WIDTH, _HEIGHT)
        sheet.paste(small, (left, top + _HEIGHT - small.height))
    top += _HEIGHT + 8
    lines = [(cell.lines[0], _INK), *((line, _FAINT) for text in cell.lines[1:] for line in wrapped(draw, text, _WIDTH, 13))]
    for number, (line, colour) in enumerate(lines[:_LINES]):
        draw.text((left, top), _cut(draw, line), font=font(13, bold=not number), fill=colour)
        top += _LINE


def _answer(search: OriginSearch) -> str:
    if search.words is None:
        return search.query.rsplit("/", 1)[-1]
    return search.words if search.probability is None else f"{search.words}  (nearest original: {search.probability:.0%})"


def _caption(one: SimilarPicture) -> tuple[str, ...]:
    probability = "" if one.probability is None else f" · {one.probability:.0%}"
    kind = one.level or str(one.kind)
    notes = [kind, *(["the same file"] if one.same_file else []), *([f"as {one.view}"] if one.view != "plain" else [])]
    return f"{one.rank} · {one.similarity:.3f}{probability}", one.title or one.key, one.artist or "unknown artist", ", ".join(notes)


def _cut(draw: ImageDraw.ImageDraw, line: str) -> str:
    """A word that is wider than the column loses its end."""
    while draw.textlength(line, font=font(13)) > _WIDTH and len(line) > 1:
        line = line[:-2] + "…"
    return line


def _read(store: Store, one: SimilarPicture) -> Image.Image | None:
    try:
        return decode_image(read_image_bytes(store, one.content_hash, one.link)).image
    except (BlobMissing, UnreadableImage, OSError):
        return None


def _left(column: int) -> int:
    return _MARGIN + column * (_WIDTH + _GAP)
