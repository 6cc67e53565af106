"""What others ask of the catalogue: known files, one artwork by name, styles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from db.catalogue.tables import artwork_paths, artworks
from db.catalogue.types import KnownPath
from db.engine.limits import BULK_SECONDS
from db.enums import ImageState

if TYPE_CHECKING:
    from db.engine import Database

#: The largest id that either database can hold: a longer number is no id.
LARGEST_ID = 2**63 - 1


def known_paths(database: Database) -> dict[str, KnownPath]:
    """Every path whose file was read before, by its spelling."""
    of_artwork = (artworks.c.key, artworks.c.content_hash, artworks.c.link, artworks.c.width, artworks.c.height)
    columns = (*of_artwork, artwork_paths.c.byte_size, artwork_paths.c.modified_ns)
    query = (
        select(artwork_paths.c.path, artworks.c.picture, *columns)
        .join(artworks, artworks.c.id == artwork_paths.c.artwork_id)
        .where(artwork_paths.c.modified_ns.is_not(None))
    )
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        return {
            row["path"]: KnownPath(picture=ImageState(row["picture"]), **{column.name: row[column.name] for column in columns})
            for row in connection.execute(query).mappings()
        }


def find_artwork_id(database: Database, named: str) -> int | None:
    """The id of the artwork that is named by its key or its id; None if there is none."""
    with database.read() as connection:
        found = connection.scalar(select(artworks.c.id).where(artworks.c.key == named))
        if found is None and named.isdecimal() and int(named) <= LARGEST_ID:
            found = connection.scalar(select(artworks.c.id).where(artworks.c.id == int(named)))
    return None if found is None else int(found)


def known_styles(database: Database) -> list[str]:
    """The styles that artworks have, sorted."""
    with database.read() as connection:
        return sorted(style for style in connection.scalars(select(artworks.c.style).distinct()) if style)


def has_artworks(database: Database) -> bool:
    """Whether any artwork is known."""
    with database.read() as connection:
        return connection.scalar(select(artworks.c.id).limit(1)) is not None
