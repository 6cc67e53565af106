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
#: Lines of a caption, and those of one title or name in it.
_LINES, _WRAPPED = 6, 2
_PAPER, _INK, _FAINT, _RULE = "#fbfaf7", "#23201c", "#6f685d", "#ddd6ca"

#: Queries that one sheet shows at most, and pictures beside each.
MOST_QUERIES, MOST_PICTURES = 50, 20


@dataclass(frozen=True, kw_only=True)
class _Cell:
    #: As it is drawn; None if it cannot be read.
    image: Image.Image | None
    lines: tuple[str, ...]


def draw_similar(searches: Sequence[tuple[OriginSearch, Image.Image]], store: Store, path: Path) -> None:
    """Write the first `MOST_QUERIES` searches, each with its query's image and its first `MOST_PICTURES` pictures, as a PNG.

    A picture that cannot be read leaves its place empty.
    """
    rows = [_row(search, image, store) for search, image in searches[:MOST_QUERIES]]
    heights = [max((cell.image.height for cell in row if cell.image is not None), default=_HEIGHT) for row in rows]
    most = max((len(row) for row in rows), default=1)
    beside = _HEAD + _LINES * _LINE + _GAP
    sheet = Image.new("RGB", (_left(most) - _GAP + _MARGIN, _MARGIN + sum(heights) + beside * len(rows)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    top = _MARGIN
    for (search, _), row, height in zip(searches, rows, heights, strict=False):
        if top > _MARGIN:
            draw.line((_MARGIN, top - _GAP // 2, sheet.width - _MARGIN, top - _GAP // 2), fill=_RULE)
        draw.text((_MARGIN, top + 24), _answer(search), font=font(18, bold=True), fill=_INK, anchor="ls")
        for column, cell in enumerate(row):
            _draw_cell(sheet, draw, cell, (_left(column), top + _HEAD), height)
        top += height + beside
    sheet.save(path, "PNG")


def _row(search: OriginSearch, image: Image.Image, store: Store) -> list[_Cell]:
    query = _Cell(image=fitted(image, _WIDTH, _HEIGHT), lines=("the query", search.query.rsplit("/", 1)[-1]))
    return [query, *(_Cell(image=_read(store, one), lines=_caption(one)) for one in search.pictures[:MOST_PICTURES])]


def _draw_cell(sheet: Image.Image, draw: ImageDraw.ImageDraw, cell: _Cell, corner: tuple[int, int], height: int) -> None:
    """The picture at the foot of its place, the caption beneath."""
    left, top = corner
    if cell.image is None:
        draw.rectangle((left, top, left + _WIDTH, top + height), outline=_RULE)
        draw.text((left + _WIDTH / 2, top + height / 2), "cannot be read", font=font(14), fill=_FAINT, anchor="mm")
    else:
        sheet.paste(cell.image, (left, top + height - cell.image.height))
    top += height + 8
    lines = [(cell.lines[0], _INK), *((line, _FAINT) for text in cell.lines[1:] for line in wrapped(draw, text, _WIDTH, 13)[:_WRAPPED])]
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
        return fitted(decode_image(read_image_bytes(store, one.content_hash, one.link)).image, _WIDTH, _HEIGHT)
    except (BlobMissing, UnreadableImage, OSError):
        return None


def _left(column: int) -> int:
    return _MARGIN + column * (_WIDTH + _GAP)
