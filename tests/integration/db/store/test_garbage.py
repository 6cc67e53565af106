from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

import db.store.garbage
from db.enums import Stage
from db.errors import StoreUnavailable
from db.jobs.requeue import JobFilter, requeue
from db.store.garbage import collect_garbage
from db.tables import artworks, images
from tests.builders import CampaignHarness, harness_of
from tests.integration.db.store.aged_blobs import TWO_DAYS, kept, name_it, put

if TYPE_CHECKING:
    from db.engine import Database
    from db.store import Store


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


def test_files_that_killed_processes_left_go_once_they_are_old(database: Database, store: Store, tmp_path: Path) -> None:
    whole = put(store, b"whole")
    name_it(database, whole)
    left = [Path(f"{store.path(whole)}.writing-1234"), tmp_path / "store/scratch/1234", Path(f"{store.path('ab' * 32)}.trash-1234")]
    for file in left:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"who")
        os.utime(file, (1, 1))
    young = tmp_path / "store/scratch/5678"
    young.touch()

    assert collect_garbage(database, store, dry_run=True).leftovers == 3
    assert all(file.exists() for file in left)
    swept = collect_garbage(database, store)

    assert (swept.blobs, swept.leftovers) == (0, 3)
    assert kept(store) == {whole}
    assert not any(file.exists() for file in left)
    assert young.exists()


@pytest.mark.parametrize("reason", ["named", "young"])
def test_a_blob_that_a_killed_collection_had_renamed_gets_its_name_back_if_it_is_wanted(
    sqlite_database: Database, store: Store, reason: str
) -> None:
    wanted = put(store, b"wanted", age=TWO_DAYS if reason == "named" else 60.0)
    Path(store.path(wanted)).rename(f"{store.path(wanted)}.trash-1234")
    if reason == "named":
        name_it(sqlite_database, wanted)

    assert collect_garbage(sqlite_database, store).blobs == 0

    assert kept(store) == {wanted}
    assert store.get(wanted) == b"wanted"


def test_ages_are_measured_by_the_clock_of_the_store(sqlite_database: Database, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store two hours ahead of this host: what it dates 60 seconds ago is young, and 400 seconds ago old."""
    ahead = 7200.0
    clock = store.files.clock
    monkeypatch.setattr(store.files, "clock", lambda: clock() + ahead)
    put(store, b"young", age=60 - ahead)
    old = put(store, b"old", age=400 - ahead)

    assert collect_garbage(sqlite_database, store, grace_seconds=300).blobs == 1
    assert not store.exists(old)


def test_a_store_without_its_marker_is_not_collected(sqlite_database: Database, store: Store, tmp_path: Path) -> None:
    put(store, b"nobody's")
    marker = tmp_path / "store/paragone-store.json"
    marker.rename(tmp_path / "marker")

    with pytest.raises(StoreUnavailable, match="has no marker"):
        collect_garbage(sqlite_database, store, grace_seconds=0.0)

    marker.hardlink_to(tmp_path / "marker")
    assert len(kept(store)) == 1


def test_one_256th_of_the_blobs_and_of_the_known_hashes_is_held_at_once(
    database: Database, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = [put(store, b"original %d" % number) for number in range(300)]
    for content_hash in hashes[:200]:
        name_it(database, content_hash)
    held: dict[str, tuple[int, int]] = {}
    read, shard = db.store.garbage._known, store.shard

    def counted(database: Database, digits: str) -> set[str]:
        found = read(database, digits)
        held[digits] = len(shard(digits).blobs), len(found)
        return found

    monkeypatch.setattr(db.store.garbage, "_known", counted)

    assert collect_garbage(database, store).blobs == 100

    assert kept(store) == set(hashes[:200])
    per_shard = Counter(content_hash[:2] for content_hash in hashes)
    known = Counter(content_hash[:2] for content_hash in hashes[:200])
    assert held == {digits: (per_shard[digits], known[digits]) for digits in per_shard}


def test_the_known_hashes_of_a_shard_are_found_by_index(database: Database) -> None:
    """Ten million of them are not read 256 times."""
    with database.engine.connect() as connection:
        if database.is_postgresql:
            connection.exec_driver_sql("SET enable_seqscan = off")
        explain = "EXPLAIN " if database.is_postgresql else "EXPLAIN QUERY PLAN "
        for table in ("artworks", "images"):
            query = f"{explain} SELECT DISTINCT content_hash FROM {table} WHERE content_hash >= 'ab' AND content_hash < 'ac'"  # noqa: S608
            plan = str(connection.exec_driver_sql(query).all())
            assert f"ix_{table}_content_hash" in plan
