"""Every artwork by all that it is called: for those who look for it by a name that somebody else wrote down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from db.catalogue.tables import artwork_paths, artworks
from db.engine.limits import BULK_SECONDS
from db.enums import ImageState

if TYPE_CHECKING:
    from db.engine import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedArtwork:
    """One artwork with its names, and where its original is."""

    id: int
    key: str
    #: Equal for copies of one picture.
    group_key: str
    #: Every path under which it is registered.
    paths: tuple[str, ...]
    picture: ImageState
    #: None if no original was ever read.
    content_hash: str | None
    link: str | None
    width: int | None
    height: int | None
    #: The catalogue's further columns.
    extra: dict[str, Any]


def named_artworks(database: Database) -> list[NamedArtwork]:
    """All artworks, by id."""
    paths: dict[int, list[str]] = {}
    columns = (artworks.c.id, artworks.c.key, artworks.c.group_key, artworks.c.content_hash, artworks.c.link)
    query = select(*columns, artworks.c.picture, artworks.c.width, artworks.c.height, artworks.c.extra).order_by(artworks.c.id)
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        for artwork_id, path in connection.execute(select(artwork_paths.c.artwork_id, artwork_paths.c.path).order_by(artwork_paths.c.id)):
            paths.setdefault(artwork_id, []).append(path)
        rows = connection.execute(query).mappings().all()
    return [
        NamedArtwork(
            **{**row, "picture": ImageState(row["picture"]), "extra": dict(row["extra"] or {}), "paths": tuple(paths.get(row["id"], ()))}
        )
        for row in rows
    ]
