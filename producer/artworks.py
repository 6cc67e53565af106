"""What a command line names of artworks, looked up in the catalogue: ids, keys, styles."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from db.catalogue.queries import find_artwork_id, has_artworks, known_styles
from producer.errors import NothingRegistered, UnknownArtwork, UnknownStyle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.engine import Database


def find_artwork(database: Database, named: str) -> int:
    """The id of the artwork that is named by its key or its id; raises `UnknownArtwork`."""
    found = find_artwork_id(database, named)
    if found is None:
        raise UnknownArtwork(f"there is no artwork of id or key {named!r}: `paragone failures` shows both")
    return found


def check_styles(database: Database, styles: Sequence[str]) -> None:
    """Raise `UnknownStyle` for a style that no artwork has, with what was probably meant."""
    if not styles:
        return
    known = known_styles(database)
    for style in styles:
        if style not in known:
            spelled = {name.casefold(): name for name in known}
            near = [spelled[name] for name in get_close_matches(style.casefold(), spelled, n=3)]
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known) or 'none yet'}"
            raise UnknownStyle(f"no artwork has the style {style!r}: {hint}")


def check_registered(database: Database) -> None:
    """Raise `NothingRegistered` if there is no artwork at all."""
    if not has_artworks(database):
        raise NothingRegistered
