"""Which store a database belongs with: made once, adopted from an older version, or given on purpose."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from db.store.identity import read_store_id, register_store, some_stored_hashes

if TYPE_CHECKING:
    from db.engine import Database
    from db.store.store import Store

#: Blobs of each kind that are looked for before an older version's store is taken for the database's own.
SAMPLE = 8


def found_store(database: Database, store: Store) -> str:
    """The id of the database's store; the first time, the store is made, or the one that is there is adopted.

    A database that names blobs but no store comes from an older version: it adopts a place only if that holds most of a few of them.

    Raises:
        StoreUnavailable: it does not, or the store cannot be made.
    """
    known = read_store_id(database)
    if known is not None:
        return known
    # Read before: a transaction within a transaction takes a second connection of a small pool.
    held = some_stored_hashes(database, SAMPLE)
    return register_store(database, lambda: _checked_mark(store, held))


def adopt_store(database: Database, store: Store) -> str:
    """Make what lies at the store's location the database's store, whatever its marker says; returns its id.

    For a store that was moved, emptied or replaced on purpose.
    """
    store_id = register_store(database, lambda: store.files.marker() or store.files.mark(str(uuid.uuid4())))
    return store.files.mark(store_id, replace=True)


def _checked_mark(store: Store, held: list[str]) -> str:
    store.refuse_unless_held(held)
    return store.files.marker() or store.files.mark(str(uuid.uuid4()))
