"""Collections while jobs are running: what these put may have no row yet."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

import db.store.garbage
from db.enums import Stage
from db.monitoring.worker_registry import deregister_worker, register_worker
from db.store import Store
from db.store.garbage import collect_garbage
from db.tables import leases, workers
from tests.builders import harness_of
from tests.integration.db.store.aged_blobs import kept, put

if TYPE_CHECKING:
    from db.engine import Database


def test_a_collection_without_grace_spares_what_a_running_job_may_be_about_to_commit(database: Database, store: Store) -> None:
    harness = harness_of(database, 1)
    batch = harness.claim(Stage.CAPTION)
    with database.engine.begin() as connection:
        connection.execute(update(leases).values(claimed_at=leases.c.claimed_at - 3600.0))
    theirs, orphan = put(store, b"theirs", age=3500), put(store, b"nobody's", age=3700)

    swept = collect_garbage(database, store, grace_seconds=0.0)

    assert (swept.blobs, swept.kept, swept.work_under_way) == (1, 1, True)
    assert 3600 < swept.grace_seconds < 3700
    assert (store.exists(theirs), store.exists(orphan)) == (True, False)

    harness.finish(batch)
    swept = collect_garbage(database, store, grace_seconds=0.0)
    assert (swept.blobs, swept.grace_seconds, swept.work_under_way) == (1, 0.0, False)


def test_a_grace_age_that_is_longer_than_the_oldest_lease_holds(sqlite_database: Database, store: Store) -> None:
    harness_of(sqlite_database, 1).claim(Stage.CAPTION)

    swept = collect_garbage(sqlite_database, store, grace_seconds=7200.0)

    assert (swept.grace_seconds, swept.work_under_way) == (7200.0, False)


def test_a_collection_without_grace_keeps_ten_minutes_while_anybody_works(sqlite_database: Database, store: Store) -> None:
    put(store, b"young", age=500)
    harness = harness_of(sqlite_database, 1)
    swept_by_now = harness.claim(Stage.CAPTION)
    harness.crash_workers(swept_by_now)
    assert collect_garbage(sqlite_database, store, grace_seconds=0.0).kept == 1, "a late worker may still commit"
    harness.run_all()
    register_worker(sqlite_database, worker_id="w", host="h", pid=1, device="cpu", stages=[Stage.CAPTION], threads=1, versions={})
    assert collect_garbage(sqlite_database, store, grace_seconds=0.0).kept == 1, "a worker is alive"

    deregister_worker(sqlite_database, "w")

    assert collect_garbage(sqlite_database, store, grace_seconds=0.0).blobs == 1


def test_a_worker_that_is_long_silent_does_not_hold_garbage_back(sqlite_database: Database, store: Store) -> None:
    put(store, b"young", age=500)
    register_worker(sqlite_database, worker_id="w", host="h", pid=1, device="cpu", stages=[Stage.CAPTION], threads=1, versions={})
    with sqlite_database.engine.begin() as connection:
        connection.execute(update(workers).values(seen_at=workers.c.seen_at - 40.0))

    assert collect_garbage(sqlite_database, store, grace_seconds=0.0, alive_within_seconds=60.0).blobs == 0
    assert collect_garbage(sqlite_database, store, grace_seconds=0.0, alive_within_seconds=30.0).blobs == 1


def test_an_old_orphan_that_is_put_again_while_garbage_is_collected_stays(
    database: Database, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan = put(store, b"about to be committed")
    read = db.store.garbage._known

    def known_slowly(database: Database, digits: str) -> set[str]:
        found = read(database, digits)
        store.put(b"about to be committed")
        return found

    monkeypatch.setattr(db.store.garbage, "_known", known_slowly)

    assert collect_garbage(database, store).blobs == 0
    assert store.exists(orphan)


def test_an_orphan_in_an_object_store_that_is_put_again_while_garbage_is_collected_stays(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.create(f"memory://{uuid.uuid4().hex}")
    orphan, old = store.put(b"about to be committed"), store.put(b"nobody's")
    files: Any = store.files
    for content_hash in (orphan, old):
        files._fs.store[store.path(content_hash)].created = datetime(2001, 1, 1, tzinfo=UTC)
    read = db.store.garbage._known

    def known_slowly(database: Database, digits: str) -> set[str]:
        found = read(database, digits)
        store.put(b"about to be committed")
        return found

    monkeypatch.setattr(db.store.garbage, "_known", known_slowly)

    assert collect_garbage(sqlite_database, store).blobs == 1
    assert kept(store) == {orphan}


@pytest.mark.parametrize("call", ["stat", "rename", "unlink"])
def test_a_blob_that_is_put_at_any_moment_of_its_removal_is_there_afterwards(
    sqlite_database: Database, store: Store, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    orphan = put(store, b"about to be committed")
    original = getattr(os, call)
    done = False

    def put_before(name: Any, *arguments: Any, **places: Any) -> Any:
        nonlocal done
        if orphan in str(name) and not done:
            done = True
            store.put(b"about to be committed")
        return original(name, *arguments, **places)

    def put_after(name: Any, *arguments: Any, **places: Any) -> Any:
        nonlocal done
        found = original(name, *arguments, **places)
        if orphan in str(name) and not done:
            done = True
            store.put(b"about to be committed")
        return found

    for put_then in (put_before, put_after):
        done = False
        os.utime(store.path(orphan), (1000, 1000))
        with monkeypatch.context() as patch:
            patch.setattr(os, call, put_then)
            collect_garbage(sqlite_database, store)
        assert done
        assert store.get(orphan) == b"about to be committed"
        assert kept(store) == {orphan}
        assert not store.shard(orphan[:2]).renamed
