from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from db.tables import artworks
from tests.builders import artworks_of

if TYPE_CHECKING:
    from tests.integration.producer.commands.conftest import Operator


def test_only_orphans_past_their_grace_age_are_removed(operator: Operator) -> None:
    store = operator.runtime.store
    wanted, orphan = store.put(b"an original"), store.put(b"an orphan")
    (artwork,) = artworks_of(operator.database, 1)
    with operator.database.engine.begin() as connection:
        connection.execute(update(artworks).where(artworks.c.id == artwork).values(content_hash=wanted))
    assert operator.json_of("gc") == {"blobs": 0, "byte_size": 0, "kept": 2, "dry_run": False}
    assert operator.json_of("gc --grace 0s --dry-run") == {"blobs": 1, "byte_size": 9, "kept": 1, "dry_run": True}
    assert store.exists(orphan)
    assert "removed 1 orphan blob older than 0 s (9 bytes), kept 1" in operator.output_of("gc --grace 0s")
    assert not store.exists(orphan)
    assert store.exists(wanted)
