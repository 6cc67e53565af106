"""A store that is not there, or is another one, takes nothing and says nothing about its blobs."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from db.errors import BlobMissing, StoreError, StoreUnavailable
from db.store import Store
from db.store.faults import MARKER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DATA = b"a repaint" * 1000
HASH = hashlib.sha256(DATA).hexdigest()

#: Whatever asks for a verdict or changes something.
OPERATIONS: dict[str, Callable[[Store], Any]] = {
    "check": lambda store: store.check(),
    "check without writing": lambda store: store.check(writable=False),
    "put": lambda store: store.put(DATA),
    "put what is known": lambda store: store.put(b"known"),
    "put_named": lambda store: store.put_named("caches/a", b"1"),
    "get": lambda store: store.get(HASH),
    "get_named": lambda store: store.get_named("caches/a"),
    "names": lambda store: store.names("caches"),
    "exists": lambda store: store.exists(HASH),
    "blob": lambda store: store.blob(HASH),
    "missing": lambda store: store.missing([HASH]),
    "refresh": lambda store: store.refresh(HASH),
    "delete": lambda store: store.delete(HASH),
    "delete_if_older": lambda store: store.delete_if_older(HASH, 0.0),
    "blobs": lambda store: list(store.blobs()),
    "scratch": lambda store: store.scratch(),
    "clock": lambda store: store.files.clock(),
}


def swapped(folder: Path) -> Path:
    """Move the store away, as an unmounted disk takes it along."""
    return folder.rename(folder.with_name("unmounted"))


def everything_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_empty_folder_in_the_place_of_a_store_is_not_taken_for_it(local: Store, folder: Path, operation: Callable[[Store], Any]) -> None:
    local.put(b"known")
    disk = swapped(folder)
    folder.mkdir()

    with pytest.raises(StoreUnavailable, match=f"the store at {folder} has no marker of this database .*is the disk mounted"):
        operation(local)

    assert everything_in(folder) == []
    folder.rmdir()
    disk.rename(folder)
    assert local.put(DATA) == HASH
    assert local.get(HASH) == DATA


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_store_whose_folder_is_gone_is_not_made_anew(local: Store, folder: Path, operation: Callable[[Store], Any]) -> None:
    swapped(folder)

    with pytest.raises(StoreUnavailable, match=f"the store at {folder} is not there: is the disk mounted"):
        operation(local)

    assert not folder.exists()


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_the_store_of_another_database_is_left_alone(local: Store, folder: Path, operation: Callable[[Store], Any]) -> None:
    swapped(folder)
    other = Store.create(str(folder))
    other.put(b"known")
    before = everything_in(folder)

    with pytest.raises(StoreUnavailable, match="belongs to another database: check PARAGONE_STORE_URL"):
        operation(local)

    assert everything_in(folder) == before


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_object_store_without_its_marker_is_away(objects: Store, monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    monkeypatch.setattr("db.store.object_files.BELIEVED_SECONDS", 0.0)
    files: Any = objects.files
    files._fs.rm_file(f"{files.root}/{MARKER}")

    with pytest.raises(StoreUnavailable, match="has no marker of this database"):
        OPERATIONS[operation](objects)

    assert files._fs.find(files.root) == []


def test_the_marker_of_an_object_store_is_read_once_for_many_writes_and_again_before_a_blob_is_said_to_be_missing(
    objects: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: Any = objects.files
    read: list[str] = []
    cat = files._fs.cat_file

    def counted(path: str) -> bytes:
        read.append(path)
        return bytes(cat(path))

    monkeypatch.setattr(files._fs, "cat_file", counted)
    files._seen_at = float("-inf")

    for number in range(10):
        objects.put(b"%d" % number)
    assert len(read) == 1

    with pytest.raises(BlobMissing):
        objects.get(HASH)
    assert [path.rsplit("/", 1)[-1] for path in read[1:]] == [HASH, MARKER]


def test_a_disk_that_vanishes_between_check_and_write_takes_the_blob_along_or_refuses_it(
    local: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def unmount_first(*arguments: Any, **places: Any) -> None:
        monkeypatch.setattr(os, "replace", replace)
        swapped(folder)
        folder.mkdir()
        replace(*arguments, **places)

    monkeypatch.setattr(os, "replace", unmount_first)
    local.put(DATA)

    assert everything_in(folder) == []
    disk = folder.with_name("unmounted")
    folder.rmdir()
    disk.rename(folder)
    assert local.get(HASH) == DATA


@pytest.mark.parametrize("call", ["open", "mkdir", "fsync", "utime"])
def test_nothing_lands_in_an_empty_folder_whenever_it_takes_the_place_of_the_store(
    local: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    original = getattr(os, call)
    calls = 0

    def unmount_at_the_second(*arguments: Any, **places: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == (2 if call == "open" else 1):
            swapped(folder)
            folder.mkdir()
        return original(*arguments, **places)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, unmount_at_the_second)
        with contextlib.suppress(StoreUnavailable):
            local.put(DATA)

    assert calls
    assert everything_in(folder) == []


def test_a_blob_that_is_not_found_while_the_disk_vanishes_is_not_missing(
    local: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.put(DATA)
    opened = os.open

    def unmount_before_the_blob(path: Any, *arguments: Any, **places: Any) -> int:
        if path == f"blobs/{HASH[:2]}/{HASH[2:4]}/{HASH}":
            shutil.copytree(folder, folder.with_name("copy"))
            shutil.rmtree(folder)
            folder.mkdir()
        return opened(path, *arguments, **places)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", unmount_before_the_blob)
        with pytest.raises(StoreUnavailable, match="has no marker"):
            local.get(HASH)


def test_a_blob_that_cannot_be_read_in_a_store_that_is_there_is_no_outage(local: Store, folder: Path) -> None:
    blob = folder / "blobs" / HASH[:2] / HASH[2:4] / HASH
    blob.mkdir(parents=True)

    with pytest.raises(StoreError, match=f"cannot be read: {HASH}: Is a directory") as caught:
        local.get(HASH)

    assert not isinstance(caught.value, StoreUnavailable)


def test_a_broken_marker_is_none(local: Store, folder: Path) -> None:
    (folder / MARKER).write_text("{")

    with pytest.raises(StoreUnavailable, match="has no marker"):
        local.put(DATA)


def test_a_store_that_is_a_file_is_away(local: Store, folder: Path) -> None:
    swapped(folder)
    folder.touch()

    with pytest.raises(StoreUnavailable, match=f"{folder} cannot be reached: Not a directory|is not a folder"):
        local.check()
    with pytest.raises(StoreUnavailable, match="is not a folder: check PARAGONE_STORE_URL"):
        Store.create(str(folder))


def test_constructing_a_store_that_is_away_opens_nothing(tmp_path: Path) -> None:
    def unasked() -> str:
        raise AssertionError("the database was asked")

    Store(str(tmp_path / "nowhere"), store_id=unasked)

    assert list(tmp_path.iterdir()) == []


def test_an_object_store_whose_service_is_away_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(f"memory://me:hush@{uuid.uuid4().hex}", store_id=lambda: "1")

    def away(*_: Any) -> None:
        raise ConnectionError(errno.ECONNREFUSED, f"no answer from {store.location}: hush is wrong")

    files: Any = store.files
    monkeypatch.setattr(files._fs, "cat_file", away)
    for operation in (store.check, lambda: store.put(DATA), lambda: store.get(HASH)):
        with pytest.raises(StoreUnavailable, match=r"memory://me:\*\*\*@\w+ cannot be reached: no answer from memory") as caught:
            operation()
        assert "hush" not in str(caught.value)
