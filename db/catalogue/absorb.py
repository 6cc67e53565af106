"""Two registered artworks that turn out to be one, because the picture of the one arrived and is the other's."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from db.catalogue.tables import artwork_paths, artworks
from db.catalogue.types import CatalogueArtwork
from db.tables import jobs, metadata

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection


def is_referenced(connection: Connection, artwork_id: int) -> bool:
    """Whether anything was planned, made or trained from an artwork."""
    return any(connection.scalar(select(column).where(column == artwork_id).limit(1)) is not None for column in _references())


def absorb(connection: Connection, *, keep: int, gone: int) -> CatalogueArtwork:
    """Remove an artwork that nothing refers to, its paths given to another; returns its facts, which are to fill the other's gaps."""
    row = connection.execute(select(artworks).where(artworks.c.id == gone)).mappings().one()
    connection.execute(update(artwork_paths).where(artwork_paths.c.artwork_id == gone).values(artwork_id=keep, chosen=False))
    connection.execute(delete(artworks).where(artworks.c.id == gone))
    return CatalogueArtwork(
        key=row["key"],
        artist=row["artist"],
        title=row["title"],
        style=row["style"],
        styles=tuple(row["styles"]),
        subset=row["subset"],
        incomplete=row["incomplete"],
        extra=row["extra"] or {},
        listed=False,
    )


@cache
def _references() -> tuple[Column[int], ...]:
    """The columns that name an artwork. Jobs carry no foreign keys."""
    columns = [key.parent for table in metadata.sorted_tables for key in table.foreign_keys if key.column is artworks.c.id]
    return (*(column for column in columns if column.table is not artwork_paths), jobs.c.artwork_id)
