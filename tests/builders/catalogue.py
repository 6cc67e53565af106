"""Artworks written straight into the database."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from db.engine.clock import now
from db.enums import ImageState
from db.jobs.arrival import originals_arrived
from db.tables import artworks

if TYPE_CHECKING:
    from db.engine import Database


def artworks_of(
    database: Database,
    count: int,
    *,
    style: str | None = "Baroque",
    picture: ImageState = ImageState.PRESENT,
    incomplete: str | None = None,
) -> list[int]:
    """Register so many artworks of one style and return their ids; keys go on where the last ones ended."""
    with database.engine.begin() as connection:
        first = int(connection.scalar(select(func.count()).select_from(artworks)) or 0)
        rows = []
        for number in range(first, first + count):
            key = f"painter-{number % 7}_work-{number:05}"
            present = picture is ImageState.PRESENT
            rows.append(
                {
                    "key": key,
                    "group_key": key,
                    "artist": f"Painter {number % 7}",
                    "title": f"Work {number}",
                    "style": style,
                    "styles": [style] if style else [],
                    "picture": str(picture),
                    "incomplete": incomplete,
                    "content_hash": hashlib.sha256(key.encode()).hexdigest() if present else None,
                    "registered_at": 0.0,
                }
            )
        connection.execute(insert(artworks), rows)
        keys = [row["key"] for row in rows]
        return list(connection.scalars(select(artworks.c.id).where(artworks.c.key.in_(keys)).order_by(artworks.c.id)))


def original_arrives(database: Database, *artwork_ids: int) -> int:
    """What an ingest does when it finds the originals of known artworks; returns how many jobs that made ready."""
    with database.engine.begin() as connection:
        seen = (
            update(artworks)
            .where(artworks.c.id.in_(artwork_ids))
            .values(picture=str(ImageState.PRESENT), content_hash=func.coalesce(artworks.c.content_hash, "f" * 64), registered_at=now())
        )
        connection.execute(seen)
        return originals_arrived(connection, artwork_ids)
