"""Originals that were left where they are."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from db.errors import BlobMissing, StoreUnavailable
from db.store.linked import read_linked


def test_a_linked_file_is_read_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"pixels")

    assert read_linked(str(tmp_path / "a.png")) == b"pixels"


@pytest.mark.parametrize("path", ["gone.png", "Style/gone.png", "Style/deeper/gone.png"])
def test_a_linked_file_whose_nearest_folder_holds_other_things_is_gone(tmp_path: Path, path: str) -> None:
    (tmp_path / "another.png").touch()

    with pytest.raises(BlobMissing, match="is gone: put it back"):
        read_linked(str(tmp_path / path))


@pytest.mark.parametrize("path", ["gone.png", "Style/gone.png"])
def test_a_linked_file_whose_nearest_folder_is_empty_lies_on_a_disk_that_is_not_mounted(tmp_path: Path, path: str) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()

    with pytest.raises(StoreUnavailable, match=f"{mount} is empty: is the disk mounted"):
        read_linked(str(mount / path))


def test_a_disk_that_comes_back_between_two_looks_is_no_verdict_on_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.png"
    look = Path.iterdir

    def mount_first(folder: Path) -> object:
        file.write_bytes(b"pixels")
        return look(folder)

    monkeypatch.setattr(Path, "iterdir", mount_first)

    assert read_linked(str(file)) == b"pixels"


def test_a_linked_file_on_a_server_that_does_not_answer_is_an_outage_and_one_that_is_forbidden_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale(_path: Path) -> bytes:
        raise OSError(errno.ESTALE, "Stale file handle")

    def forbidden(_path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", stale)
    with pytest.raises(StoreUnavailable, match="cannot be reached: Stale file handle"):
        read_linked(str(tmp_path / "a.png"))
    monkeypatch.setattr(Path, "read_bytes", forbidden)
    with pytest.raises(PermissionError):
        read_linked(str(tmp_path / "a.png"))
