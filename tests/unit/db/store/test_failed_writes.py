"""Writing that fails: no scratch file stays, nothing is half there, and the fault is the store's."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from db.errors import BlobMissing, StoreUnavailable

if TYPE_CHECKING:
    from db.store import Store

DATA = b"a repaint" * 1000
HASH = hashlib.sha256(DATA).hexdigest()


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()} - {"paragone-store.json"}


def failing(number: int) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize(
    "failure",
    [
        (errno.ENOSPC, "is full: make room there"),
        (errno.EDQUOT, "is full: its quota is used up"),
        (errno.EROFS, "is read-only"),
        (errno.EIO, "cannot be written: Input/output error"),
    ],
)
def test_a_write_that_fails_is_the_stores_fault_and_leaves_no_file(
    local: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, call: str, failure: tuple[int, str]
) -> None:
    number, text = failure
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(number))
        for write in (lambda: local.put(DATA), lambda: local.put_named("caches/a", DATA), local.check):
            with pytest.raises(StoreUnavailable, match=f"the store at {folder} {text}"):
                write()

    assert files(folder) == set()
    with pytest.raises(BlobMissing):
        local.get(HASH)
    assert local.put(DATA) == HASH
    assert local.get(HASH) == DATA


def test_a_full_disk_that_can_still_be_read_passes_the_check_that_writes_nothing(local: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", failing(errno.ENOSPC))

    local.check(writable=False)
    with pytest.raises(StoreUnavailable, match="is full"):
        local.check()


def test_an_interrupt_while_writing_leaves_no_file(local: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            local.put(DATA)

    assert files(folder) == set()


def test_a_disk_that_takes_less_than_it_is_given_is_given_the_rest(local: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:1000]))

    local.put(DATA)

    assert local.get(HASH) == DATA


def test_a_named_file_keeps_its_old_content_when_writing_the_new_one_fails(local: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    local.put_named("caches/a", b"old")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(errno.EIO))
        with pytest.raises(StoreUnavailable):
            local.put_named("caches/a", b"new")

    assert local.get_named("caches/a") == b"old"
    assert local.names("caches") == ["caches/a"]


def test_a_writer_whose_scratch_file_was_collected_while_it_slept_writes_anew(
    local: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def collected(scratch: str, *arguments: Any, **places: Any) -> None:
        monkeypatch.setattr(os, "replace", replace)
        (folder / scratch).unlink()
        replace(scratch, *arguments, **places)

    monkeypatch.setattr(os, "replace", collected)
    local.put(DATA)

    assert local.get(HASH) == DATA
    assert files(folder) == {HASH}


def test_the_blob_of_another_user_is_replaced_by_an_equal_one_when_its_time_cannot_be_set(
    local: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.put(DATA)
    os.utime(local.path(HASH), (1000, 1000))
    monkeypatch.setattr(os, "utime", failing(errno.EPERM))

    local.put(DATA)
    renewed = Path(local.path(HASH)).stat()
    assert renewed.st_mtime > 1_700_000_000

    assert local.refresh(HASH)
    assert local.files.clock() >= renewed.st_mtime
    assert local.get(HASH) == DATA


def test_an_object_store_that_refuses_is_unavailable(objects: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    class AnswerOfAService(Exception):
        pass

    def refuse(*_: Any) -> None:
        raise AnswerOfAService("SlowDown: reduce\nyour request rate")

    store_files: Any = objects.files
    monkeypatch.setattr(store_files._fs, "pipe_file", refuse)

    with pytest.raises(StoreUnavailable, match="cannot be written: SlowDown: reduce your request rate"):
        objects.put(DATA)
