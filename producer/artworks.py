"""What a command line says of artworks, looked up in the record: ids, keys, styles."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.tables import artworks
from producer.errors import NothingRegistered, UnknownArtwork, UnknownStyle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.engine import Database


#: SQLite's largest id: what is longer is no id.
_LARGEST = 2**63 - 1


def find_artwork(database: Database, named: str) -> int:
    """The id of the artwork that is named by its key or its id; raises `UnknownArtwork`."""
    with database.read() as connection:
        found = connection.scalar(select(artworks.c.id).where(artworks.c.key == named))
        if found is None and named.isdecimal() and int(named) <= _LARGEST:
            found = connection.scalar(select(artworks.c.id).where(artworks.c.id == int(named)))
    if found is None:
        raise UnknownArtwork(f"there is no artwork of id or key {named!r}: `paragone failures` shows both")
    return int(found)


def check_styles(database: Database, styles: Sequence[str]) -> None:
    """Raise `UnknownStyle` for a style that no artwork has, with what was probably meant."""
    if not styles:
        return
    with database.read() as connection:
        known = [style for style in connection.scalars(select(artworks.c.style).distinct()) if style]
    for style in styles:
        if style not in known:
            spelled = {name.casefold(): name for name in known}
            near = [spelled[name] for name in get_close_matches(style.casefold(), spelled, n=3)]
            mend = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(known)) or 'none yet'}"
            raise UnknownStyle(f"no artwork has the style {style!r}: {mend}")


def check_registered(database: Database) -> None:
    """Raise `NothingRegistered` if there is no artwork at all."""
    with database.read() as connection:
        if connection.scalar(select(artworks.c.id).limit(1)) is None:
            raise NothingRegistered
