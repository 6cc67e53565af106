"""Orphan blobs: what a crash left in the store between writing an image and committing its row.

Collected by shards, so that the memory it takes does not grow with the store. Ages are measured by the store's own clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.catalogue.tables import artworks
from db.results.tables import images
from db.store.protection import work_under_way
from db.store.store import SHARDS

if TYPE_CHECKING:
    from sqlalchemy import Column

    from db.engine import Database
    from db.store.store import Shard, Store

#: Blobs younger than this may belong to a job that has not committed yet.
GRACE_SECONDS = 24 * 3600.0
#: For how long a worker counts as alive after its last heartbeat, unless the settings say otherwise.
ALIVE_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Garbage:
    """What a collection removed, or would remove."""

    #: Orphan blobs that were removed.
    blobs: int
    byte_size: int
    kept: int
    #: Files that were left half written or half removed by a process that was killed.
    leftovers: int = 0
    #: What is younger than this many seconds was kept: the grace age, or more while jobs are running.
    grace_seconds: float = GRACE_SECONDS
    #: Whether work under way made that more than was asked for.
    work_under_way: bool = False


def collect_garbage(
    database: Database,
    store: Store,
    *,
    grace_seconds: float = GRACE_SECONDS,
    alive_within_seconds: float = ALIVE_SECONDS,
    dry_run: bool = False,
) -> Garbage:
    """Remove blobs that no artwork and no repaint, current or past, refers to and that are older than the grace age.

    While work is under way nothing is removed that is younger than the oldest claim, or than ten minutes: its job may be about to commit.

    Raises:
        StoreUnavailable: the store is away, or is another one than the database knows.
    """
    store.check(writable=False)
    started = store.files.clock()  # before the leases are read: whatever is claimed later puts what is younger
    protected = work_under_way(database, alive_within_seconds=alive_within_seconds).protected_seconds
    collection = _Collection(database, store, started - max(grace_seconds, protected), dry_run=dry_run)
    for digits in SHARDS:
        collection.collect(digits)
    collection.clear_scratch()
    return Garbage(
        blobs=collection.blobs,
        byte_size=collection.byte_size,
        kept=collection.kept,
        leftovers=collection.leftovers,
        grace_seconds=max(grace_seconds, protected),
        work_under_way=protected > grace_seconds,
    )


class _Collection:
    """One run over the shards; `youngest` is the moment since which everything is kept, by the store's clock."""

    def __init__(self, database: Database, store: Store, youngest: float, *, dry_run: bool) -> None:
        self._database = database
        self._store = store
        self._youngest = youngest
        self._dry_run = dry_run
        self.blobs = self.byte_size = self.kept = self.leftovers = 0

    def collect(self, digits: str) -> None:
        # The listing comes before the database is read: a blob that is committed in between is then known.
        shard = self._store.shard(digits)
        known = _known(self._database, digits) if shard.blobs or shard.renamed else set()
        for blob in shard.blobs:
            orphan = blob.content_hash not in known and blob.written_at < self._youngest
            # Listed a while ago, it may have been put again since.
            if orphan and (self._dry_run or self._store.delete_if_older(blob.content_hash, self._youngest)):
                self.blobs += 1
                self.byte_size += blob.byte_size
            else:
                self.kept += 1
        self._clear(shard, known)

    def _clear(self, shard: Shard, known: set[str]) -> None:
        for file, content_hash in shard.renamed:
            if content_hash in known or file.written_at >= self._youngest:
                if not self._dry_run:
                    self._store.restore(file, content_hash)
                self.kept += 1
            else:
                self._remove(file.name)
        for file in shard.strays:
            if file.written_at < self._youngest:
                self._remove(file.name)

    def clear_scratch(self) -> None:
        for file in self._store.scratch():
            if file.written_at < self._youngest:
                self._remove(file.name)

    def _remove(self, name: str) -> None:
        if not self._dry_run:
            self._store.files.discard(name)
        self.leftovers += 1


def _known(database: Database, digits: str) -> set[str]:
    """The hashes with these first digits that the database names; each table has an index of them."""
    following = f"{int(digits, 16) + 1:02x}" if digits != SHARDS[-1] else "fg"

    def within(column: Column[str]) -> list[str | None]:
        with database.read() as connection:
            return list(connection.scalars(select(column).where(column >= digits, column < following).distinct()))

    return {content_hash for column in (artworks.c.content_hash, images.c.content_hash) for content_hash in within(column) if content_hash}
