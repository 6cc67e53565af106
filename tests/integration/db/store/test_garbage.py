from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

import db.store.garbage
from db.enums import Stage
from db.jobs.requeue import JobFilter, requeue
from db.store import Store
from db.store.garbage import collect_garbage
from db.tables import artworks, images
from tests.builders import CampaignHarness, harness_of

if TYPE_CHECKING:
    from pathlib import Path

    from db.engine import Database


TWO_DAYS = 2 * 86400.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(str(tmp_path / "store"))


def put(store: Store, data: bytes, *, age: float = TWO_DAYS) -> str:
    content_hash = store.put(data)
    then = time.time() - age
    os.utime(store.path(content_hash), (then, then))
    return content_hash


def kept(store: Store) -> set[str]:
    return {blob.content_hash for blob in store.blobs()}


def repainted(database: Database, store: Store) -> CampaignHarness:
    """One artwork and its two repaints, with an older version of one, all with blobs."""
    harness = harness_of(database, 1)
    harness.run_all()
    requeue(database, JobFilter(done=True, stage=Stage.GENERATE))
    harness.run(Stage.GENERATE, mark=" again")
    with database.engine.begin() as connection:
        connection.execute(update(artworks).values(content_hash=put(store, b"original")))
        for row in harness.rows(images):
            content_hash = put(store, b"repaint %d" % row["id"])
            connection.execute(update(images).where(images.c.id == row["id"]).values(content_hash=content_hash))
    return harness


def test_an_orphan_blob_goes_and_everything_that_the_database_names_stays(database: Database, store: Store) -> None:
    harness = repainted(database, store)
    known = kept(store)
    assert len(known) == 1 + len(harness.rows(images)) == 5
    orphan = put(store, b"nobody's")

    swept = collect_garbage(database, store)

    assert (swept.blobs, swept.byte_size, swept.kept) == (1, len(b"nobody's"), 5)
    assert kept(store) == known
    assert not store.exists(orphan)


def test_an_orphan_blob_younger_than_the_grace_age_stays(database: Database, store: Store) -> None:
    young, old = put(store, b"young", age=60), put(store, b"old", age=600)

    swept = collect_garbage(database, store, grace_seconds=300)

    assert (swept.blobs, swept.kept) == (1, 1)
    assert store.exists(young)
    assert not store.exists(old)


def test_the_grace_age_of_orphan_blobs_is_a_day(database: Database, store: Store) -> None:
    put(store, b"young", age=23 * 3600.0)
    put(store, b"old", age=25 * 3600.0)

    assert collect_garbage(database, store).blobs == 1


def test_a_dry_run_of_garbage_collection_removes_nothing(database: Database, store: Store) -> None:
    put(store, b"nobody's")

    assert collect_garbage(database, store, dry_run=True).blobs == 1
    assert len(kept(store)) == 1


def test_an_old_orphan_that_is_put_again_while_garbage_is_collected_stays(
    database: Database, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan = put(store, b"about to be committed")
    read = db.store.garbage._known

    def known_slowly(database: Database) -> set[str]:
        found = read(database)
        store.put(b"about to be committed")
        return found

    monkeypatch.setattr(db.store.garbage, "_known", known_slowly)

    assert collect_garbage(database, store).blobs == 0
    assert store.exists(orphan)


def test_a_blob_that_a_crash_left_half_written_goes_too(database: Database, store: Store) -> None:
    whole = put(store, b"whole")
    half = f"{store.path(whole)}.writing-1234"
    with open(half, "wb") as file:  # noqa: PTH123  # a plain path from fsspec
        file.write(b"who")
    os.utime(half, (1, 1))
    with database.engine.begin() as connection:
        connection.execute(
            artworks.insert().values(key="a", group_key="a", styles=[], picture="present", content_hash=whole, registered_at=0)
        )

    assert collect_garbage(database, store).blobs == 1
    assert kept(store) == {whole}
