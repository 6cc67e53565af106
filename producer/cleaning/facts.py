"""The facts of one artwork from its rows and file names: gaps are filled from a name or another column, and what stays open is named."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from producer.cleaning.artists import known_artist
from producer.cleaning.empty_cells import filled
from producer.cleaning.file_names import title_words
from producer.cleaning.lists import split_names
from producer.cleaning.similar_names import loose_name
from producer.cleaning.spelling import repair_spelling
from producer.cleaning.styles import style_name

if TYPE_CHECKING:
    from producer.cleaning.join import ArtworkCopy, JoinedArtwork
    from producer.readers import CatalogueRow

UNCERTAIN = "uncertain artist"


class CellOutcome(StrEnum):
    """Where a fact of an artwork came from."""

    #: The catalogue had it.
    GIVEN = "given"
    #: The catalogue lacked it or had it broken; a file name or another column had it.
    REPAIRED = "repaired"
    #: The operator named it for all that lack it.
    FILLED = "filled"
    #: It is still unknown.
    LEFT = "left"


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanedArtwork:
    """One artwork with everything that its rows and file names say."""

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
    copies: tuple[ArtworkCopy, ...]
    #: Where artist, title, style and file came from.
    cells: dict[str, CellOutcome]
    #: Paths that its rows name, whether files lie there or not.
    named: tuple[str, ...] = ()
    #: What it was cleaned from, where it has several files, which may turn out to be different pictures.
    joined: JoinedArtwork | None = None


def clean_artwork(joined: JoinedArtwork) -> CleanedArtwork:
    """Determine the facts of an artwork; its first row takes precedence, later rows fill gaps."""
    artist, artist_cell = _artist(joined)
    title, title_cell = _title(joined)
    styles, style_cell = _styles(joined)
    gaps = [gap for gap, fact in (("no style", styles), ("no artist", artist)) if not fact]
    extra: dict[str, str] = {}
    for row in reversed(joined.rows):
        extra |= {name: cell for name, cell in row.extra.items() if filled(cell)}
    return CleanedArtwork(
        key=joined.key,
        artist=artist,
        title=title,
        style=styles[0] if styles else None,
        styles=styles,
        subset=next((subset for row in joined.rows if (subset := filled(row.subset))), None),
        incomplete=", ".join(gaps) or None,
        extra=extra,
        listed=bool(joined.rows),
        copies=tuple(joined.copies),
        cells={"artist": artist_cell, "title": title_cell, "style": style_cell, "file": _file(joined)},
        named=tuple(row.path for row in joined.rows),
        joined=joined if len(joined.copies) > 1 else None,
    )


def _artist(joined: JoinedArtwork) -> tuple[str | None, CellOutcome]:
    for row in joined.rows:
        if artist := known_artist(row.artist):
            given = row is joined.rows[0] and artist == " ".join(row.artist.split())
            return artist, CellOutcome.GIVEN if given else CellOutcome.REPAIRED
    artist = known_artist(joined.name.artist)
    return artist, CellOutcome.REPAIRED if artist else CellOutcome.LEFT


def _title(joined: JoinedArtwork) -> tuple[str | None, CellOutcome]:
    for row in joined.rows:
        if filled(row.title):
            title = repair_spelling(row.title)
            return title, CellOutcome.GIVEN if title == row.title and row is joined.rows[0] else CellOutcome.REPAIRED
    for row in joined.rows:
        if slug := _title_slug(row):
            return title_words(repair_spelling(slug)), CellOutcome.REPAIRED
    return joined.name.title, CellOutcome.REPAIRED if joined.name.title else CellOutcome.LEFT


def _title_slug(row: CatalogueRow) -> str:
    """Kaggle's `description` is the slug of the title; a description in words is no title.

    One word may be either, as "sunset": it is a title where the file is named so.
    """
    slug = filled(row.extra.get("description"))
    if " " in slug:
        return ""
    return slug if "-" in slug.strip("-") or loose_name(slug).core in loose_name(row.path).core.split("-") else ""


def _styles(joined: JoinedArtwork) -> tuple[tuple[str, ...], CellOutcome]:
    """Styles of the rows first, then those of the folders that hold copies."""
    listed = [style for row in joined.rows for label in split_names(row.styles) if filled(label) and (style := style_name(label))]
    folders = [style for copy in joined.copies if (style := style_name(copy.name.style))]
    if not joined.copies and (style := style_name(joined.name.style)):
        folders = [style]
    styles = tuple(dict.fromkeys(listed + folders))
    if listed:
        return styles, CellOutcome.GIVEN
    return styles, CellOutcome.REPAIRED if styles else CellOutcome.LEFT


def _file(joined: JoinedArtwork) -> CellOutcome:
    if not joined.copies:
        return CellOutcome.LEFT
    own = joined.rows[0].path if joined.rows else None
    return CellOutcome.GIVEN if any(copy.file.path == own for copy in joined.copies) else CellOutcome.REPAIRED
