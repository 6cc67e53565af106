"""The facts of one work out of its rows and names: gaps filled where a name or another column knows, and what stays open named."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from producer.cleaning.artists import known_artist
from producer.cleaning.lists import names_in
from producer.cleaning.names import title_words
from producer.cleaning.spelling import repaired
from producer.cleaning.styles import style_name

if TYPE_CHECKING:
    from producer.cleaning.join import Copy, Draft

UNCERTAIN = "uncertain artist"


class Cell(StrEnum):
    """How a fact of a work came about."""

    #: The catalogue had it.
    GIVEN = "given"
    #: The catalogue lacked it or had it broken; a name or another column knew.
    REPAIRED = "repaired"
    #: Nobody knows.
    LEFT = "left"


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanWork:
    """One work with everything that its rows and names say."""

    key: str
    artist: str | None
    title: str | None
    style: str | None
    styles: tuple[str, ...]
    subset: str | None
    #: "no style", "no artist" or both; None if complete.
    incomplete: str | None
    extra: dict[str, str]
    #: Whether a row describes it.
    listed: bool
    copies: tuple[Copy, ...]
    #: How artist, title, style and file came about.
    cells: dict[str, Cell]


def clean(draft: Draft) -> CleanWork:
    """Settle the facts of a gathered work; the first row rules, later rows of the same work fill its gaps."""
    artist, artist_cell = _artist(draft)
    title, title_cell = _title(draft)
    styles, style_cell = _styles(draft)
    gaps = [gap for gap, fact in (("no style", styles), ("no artist", artist)) if not fact]
    extra: dict[str, str] = {}
    for row in reversed(draft.rows):
        extra |= row.extra
    return CleanWork(
        key=draft.key,
        artist=artist,
        title=title,
        style=styles[0] if styles else None,
        styles=styles,
        subset=next((row.subset for row in draft.rows if row.subset), None),
        incomplete=", ".join(gaps) or None,
        extra=extra,
        listed=bool(draft.rows),
        copies=tuple(draft.copies),
        cells={"artist": artist_cell, "title": title_cell, "style": style_cell, "file": _file(draft)},
    )


def _artist(draft: Draft) -> tuple[str | None, Cell]:
    for row in draft.rows:
        if artist := known_artist(row.artist):
            return artist, Cell.GIVEN if row is draft.rows[0] and artist == " ".join(row.artist.split()) else Cell.REPAIRED
    artist = known_artist(draft.name.artist)
    return artist, Cell.REPAIRED if artist else Cell.LEFT


def _title(draft: Draft) -> tuple[str | None, Cell]:
    for row in draft.rows:
        if row.title:
            title = repaired(row.title)
            return title, Cell.GIVEN if title == row.title and row is draft.rows[0] else Cell.REPAIRED
    for row in draft.rows:
        # Kaggle's `description` is the slug of the title; a description in words is no title.
        slug = row.extra.get("description", "")
        if slug and " " not in slug:
            return title_words(repaired(slug)), Cell.REPAIRED
    return draft.name.title, Cell.REPAIRED if draft.name.title else Cell.LEFT


def _styles(draft: Draft) -> tuple[tuple[str, ...], Cell]:
    """Styles of the rows first, then those of the folders that hold copies."""
    listed = [style for row in draft.rows for label in names_in(row.styles) if (style := style_name(label))]
    folders = [style for copy in draft.copies if (style := style_name(copy.name.folder))]
    if not draft.copies and (style := style_name(draft.name.folder)):
        folders = [style]
    styles = tuple(dict.fromkeys(listed + folders))
    if listed:
        return styles, Cell.GIVEN
    return styles, Cell.REPAIRED if styles else Cell.LEFT


def _file(draft: Draft) -> Cell:
    if not draft.copies:
        return Cell.LEFT
    own = draft.rows[0].path if draft.rows else None
    return Cell.GIVEN if any(copy.file.path == own for copy in draft.copies) else Cell.REPAIRED
