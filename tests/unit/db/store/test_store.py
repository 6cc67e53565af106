"""What a store does while all is well, in a folder and on an object store."""

from __future__ import annotations

import hashlib
import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from db.errors import BlobMissing, StoreError, StoreUnavailable
from db.store import Store
from db.store.store import SHARDS

if TYPE_CHECKING:
    from pathlib import Path

DATA = b"a repaint" * 1000
HASH = hashlib.sha256(DATA).hexdigest()


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()} - {"paragone-store.json"}


def test_a_blob_is_found_under_the_hash_of_its_bytes(store: Store) -> None:
    assert not store.exists(HASH)

    assert store.put(DATA) == HASH

    assert store.exists(HASH)
    assert store.get(HASH) == DATA
    assert store.path(HASH).endswith(f"/blobs/{HASH[:2]}/{HASH[2:4]}/{HASH}")


def test_equal_bytes_are_kept_once(store: Store) -> None:
    for _ in range(3):
        store.put(DATA)
    other = store.put(b"another")

    blobs = {blob.content_hash: blob.byte_size for blob in store.blobs()}
    assert blobs == {HASH: len(DATA), other: 7}


def test_a_blob_tells_when_it_was_written(store: Store) -> None:
    store.put(DATA)

    (blob,) = store.blobs()

    assert blob.written_at > 1_700_000_000
    assert store.blob(HASH) == blob


def test_a_blob_that_is_not_there_is_missing_by_name(store: Store) -> None:
    with pytest.raises(BlobMissing, match=HASH):
        store.get(HASH)
    assert store.blob(HASH) is None


def test_blobs_that_are_missing_are_told_from_those_that_are_there(store: Store) -> None:
    there = {store.put(b"blob %d" % number) for number in range(20)}

    assert store.missing([*there, HASH]) == {HASH}
    assert store.missing([]) == set()


def test_deleting_a_blob_is_harmless_if_it_is_gone(store: Store) -> None:
    store.put(DATA)

    for _ in range(2):
        store.delete(HASH)

    assert not store.exists(HASH)
    assert list(store.blobs()) == []


def test_a_named_file_of_the_store_is_replaced(store: Store) -> None:
    assert store.names("caches") == []
    for name, data in (("caches/b", b"1"), ("caches/a", b"2"), ("caches/b", b"3"), ("caches/below/c", b"4")):
        store.put_named(name, data)

    assert store.names("caches") == ["caches/a", "caches/b"]
    assert store.get_named("caches/b") == b"3"
    assert list(store.blobs()) == []
    with pytest.raises(BlobMissing, match="caches/c"):
        store.get_named("caches/c")


def test_creating_a_store_twice_is_harmless(store: Store) -> None:
    store.put(DATA)

    again = Store.create(store.location)

    assert again.get(HASH) == DATA
    assert again.files.marker() == store.files.marker()


def test_a_reader_never_sees_half_a_blob(local: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    sync = os.fsync

    def look(descriptor: int) -> None:
        seen.append(local.exists(HASH))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    local.put(DATA)

    assert seen == [False]
    assert local.exists(HASH)


def test_many_writers_of_one_blob_leave_one(local: Store, folder: Path) -> None:
    threads = [threading.Thread(target=local.put, args=(DATA,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert files(folder) == {HASH}
    assert local.get(HASH) == DATA


def age(store: Store, content_hash: str, written_at: datetime) -> None:
    """Make a blob look as if it had been written then."""
    files: Any = store.files
    if store.location.startswith("memory"):
        files._fs.store[store.path(content_hash)].created = written_at
    else:
        os.utime(store.path(content_hash), (written_at.timestamp(), written_at.timestamp()))


@pytest.mark.parametrize("renewed", [lambda store: store.put(DATA), lambda store: store.refresh(HASH)], ids=["put", "refresh"])
def test_a_blob_that_is_put_again_or_refreshed_is_young(store: Store, renewed: Any) -> None:
    store.put(DATA)
    before = store.files.clock()
    age(store, HASH, datetime(2001, 1, 1, tzinfo=UTC))

    assert renewed(store)

    found = store.blob(HASH)
    assert found is not None
    assert found.written_at >= before
    assert store.get(HASH) == DATA


def test_a_blob_that_is_gone_cannot_be_refreshed(store: Store) -> None:
    assert store.refresh(HASH) is False
    assert not store.exists(HASH)


def test_all_blobs_lie_in_their_shards(store: Store) -> None:
    hashes = {store.put(b"blob %d" % number) for number in range(50)}

    shards = {digits: {blob.content_hash for blob in store.shard(digits).blobs} for digits in SHARDS}

    assert set().union(*shards.values()) == hashes
    assert all(content_hash.startswith(digits) for digits, found in shards.items() for content_hash in found)


def test_the_clock_of_a_store_is_that_of_its_files(store: Store) -> None:
    before = store.files.clock()
    store.put(DATA)
    after = store.files.clock()

    found = store.blob(HASH)
    assert found is not None
    assert before <= found.written_at <= after
    assert store.scratch() == []


def test_a_store_that_cannot_tell_ages_is_refused_when_they_are_asked_for(objects: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    files: Any = objects.files
    monkeypatch.setattr(files._fs, "info", lambda _path: {"name": "x", "size": 0, "type": "file"})

    with pytest.raises(StoreUnavailable, match="does not tell when a file was written"):
        objects.files.clock()


def test_a_url_that_no_file_system_knows_is_refused_without_its_password() -> None:
    with pytest.raises(StoreError, match="PARAGONE_STORE_URL 'pigeon://me:\\*\\*\\*@loft' cannot be opened") as caught:
        Store("pigeon://me:hush@2@loft", store_id=str)

    assert "hush" not in str(caught.value)
