"""Orphan blobs: what a crash left in the store between writing an image and committing its row."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.catalogue.tables import artworks
from db.results.tables import images

if TYPE_CHECKING:
    from db.engine import Database
    from db.store import Blob, Store

#: Blobs younger than this may belong to a job that has not committed yet.
GRACE_SECONDS = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Garbage:
    """What a collection removed, or would remove."""

    blobs: int
    byte_size: int
    kept: int


def collect_garbage(database: Database, store: Store, *, grace_seconds: float = GRACE_SECONDS, dry_run: bool = False) -> Garbage:
    """Remove blobs that no artwork and no repaint, current or past, refers to and that are older than the grace age."""
    # The listing comes before the database is read: a blob that is committed in between is then known.
    found = list(store.blobs())
    known = _known(database)
    youngest = time.time() - grace_seconds
    orphans: list[Blob] = []
    for blob in found:
        if blob.content_hash in known or blob.written_at > youngest:
            continue
        # Listed long ago, it may have been put again: then it is young, and its job about to commit.
        now = store.blob(blob.content_hash)
        if now is None or now.written_at > youngest:
            continue
        if not dry_run:
            store.delete(blob.content_hash)
        orphans.append(blob)
    return Garbage(blobs=len(orphans), byte_size=sum(blob.byte_size for blob in orphans), kept=len(found) - len(orphans))


def _known(database: Database) -> set[str]:
    with database.read() as connection:
        originals = connection.scalars(select(artworks.c.content_hash).where(artworks.c.content_hash.is_not(None)))
        known = {content_hash for content_hash in originals if content_hash is not None}
        return known | set(connection.scalars(select(images.c.content_hash).distinct()))
