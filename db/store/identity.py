"""The id of the image store that belongs to this database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, text

from db.catalogue.tables import artworks
from db.engine.clock import now
from db.results.tables import images
from db.store.tables import stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from db.engine import Database

#: PostgreSQL's advisory lock of whoever makes or adopts a store; SQLite has one writer anyway.
FOUNDING = 0x1A6E58


def read_store_id(database: Database) -> str | None:
    """The id of the store; None if this database has none yet."""
    with database.read() as connection:
        return connection.scalar(select(stores.c.id).order_by(stores.c.created_at).limit(1))


def register_store(database: Database, mark: Callable[[], str]) -> str:
    """The id of the store; the first time it is what `mark` returns, which makes the marker while no one else can.

    Raises:
        StoreUnavailable: `mark` raised it; nothing was registered.
    """

    def register(connection: Connection) -> str:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": FOUNDING})
        held = connection.scalar(select(stores.c.id).order_by(stores.c.created_at).limit(1))
        if held is not None:
            return str(held)
        store_id = mark()
        connection.execute(insert(stores).values(id=store_id, created_at=now()))
        return store_id

    return database.write(register)


def some_stored_hashes(database: Database, count: int) -> list[str]:
    """A few hashes of blobs that the store must hold: the latest repaints and originals, up to so many of each."""
    of_originals = select(artworks.c.content_hash).where(artworks.c.content_hash.is_not(None), artworks.c.link.is_(None))
    with database.read() as connection:
        newest = connection.scalars(select(images.c.content_hash).order_by(images.c.id.desc()).limit(count)).all()
        originals = connection.scalars(of_originals.order_by(artworks.c.id.desc()).limit(count)).all()
    return sorted({content_hash for content_hash in (*newest, *originals) if content_hash})
