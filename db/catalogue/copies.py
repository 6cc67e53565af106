"""Copies: artworks with equal bytes are one group, which a split keeps on one side."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from db.catalogue.tables import artworks
from db.engine.bulk import update_by_id

if TYPE_CHECKING:
    from sqlalchemy import Connection


def group_copies(connection: Connection) -> None:
    """Artworks with equal bytes share the least of their keys; the rest stand alone. Compared here: databases sort text each in its way."""
    hashes = select(artworks.c.content_hash).where(artworks.c.content_hash.is_not(None))
    twice = hashes.group_by(artworks.c.content_hash).having(func.count() > 1)
    query = select(artworks.c.id, artworks.c.key, artworks.c.group_key, artworks.c.content_hash).where(
        or_(artworks.c.content_hash.in_(twice), artworks.c.group_key != artworks.c.key)
    )
    rows = connection.execute(query).all()
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        groups[row.content_hash or row.key].append(row.key)
    leasts = {name: min(keys) for name, keys in groups.items()}
    moved = [{"the_id": row.id, "group_key": leasts[row.content_hash or row.key]} for row in rows]
    update_by_id(connection, artworks, [new for new, row in zip(moved, rows, strict=True) if new["group_key"] != row.group_key])
