from __future__ import annotations

import hashlib
import os
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest

from db.errors import BlobMissing, StoreError
from db.store import Store

DATA = b"a repaint" * 1000
HASH = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store in a folder and one in memory, where objects appear whole as they do in S3."""
    store = Store(str(tmp_path / "store") if request.param == "local" else f"memory://{uuid.uuid4().hex}")
    store.prepare()
    return store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "local"


@pytest.fixture
def local(folder: Path) -> Store:
    store = Store(str(folder))
    store.prepare()
    return store


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


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


def test_deleting_a_blob_is_harmless_if_it_is_gone(store: Store) -> None:
    store.put(DATA)

    for _ in range(2):
        store.delete(HASH)

    assert not store.exists(HASH)
    assert list(store.blobs()) == []


def test_a_named_file_of_the_store_is_replaced(store: Store) -> None:
    assert store.names("caches") == []
    for name, data in (("caches/b", b"1"), ("caches/a", b"2"), ("caches/b", b"3")):
        store.put_named(name, data)

    assert store.names("caches") == ["caches/a", "caches/b"]
    assert store.get_named("caches/b") == b"3"
    assert list(store.blobs()) == []
    with pytest.raises(BlobMissing, match="caches/c"):
        store.get_named("caches/c")


def test_preparing_a_store_twice_is_harmless(store: Store) -> None:
    store.put(DATA)
    store.prepare()

    assert store.get(HASH) == DATA


def test_a_crash_in_the_middle_of_writing_leaves_no_blob(local: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", die)
        with pytest.raises(StoreError, match="refused a blob"):
            local.put(DATA)

    assert not local.exists(HASH)
    with pytest.raises(BlobMissing):
        local.get(HASH)
    assert local.put(DATA) == HASH
    assert local.get(HASH) == DATA


def test_a_named_file_keeps_its_old_content_when_writing_the_new_one_fails(local: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    local.put_named("caches/a", b"old")

    def die(*_: Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", die)
        with pytest.raises(StoreError, match="caches/a"):
            local.put_named("caches/a", b"new")

    assert local.get_named("caches/a") == b"old"
    assert local.names("caches") == ["caches/a"]


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

    assert [path.name for path in files(folder)] == [HASH]
    assert local.get(HASH) == DATA


def test_putting_a_blob_that_is_there_makes_it_young_again(local: Store) -> None:
    local.put(DATA)
    os.utime(local.path(HASH), (1000, 1000))

    local.put(DATA)

    assert Path(local.path(HASH)).stat().st_mtime > 1_700_000_000


def test_a_url_that_no_file_system_knows_is_refused() -> None:
    with pytest.raises(StoreError, match="PARAGONE_STORE_URL 'pigeon://loft'"):
        Store("pigeon://loft")
