"""Pieces of an export on disk: each written under a temporary name, flushed, and renamed when it is whole."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: What the names of unfinished pieces begin with.
UNFINISHED = ".writing-"


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Have a file or folder written and put in place, in place of one that is there; an interrupted one leaves nothing at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(UNFINISHED + path.name)
    remove(unfinished)
    write(unfinished)
    for file in _files(unfinished):
        _flush(file)
    if unfinished.is_dir():
        _flush(unfinished)
        remove(path)
    unfinished.replace(path)
    _flush(path.parent)


def write_text(path: Path, text: str) -> None:
    """A whole text file."""
    write_whole(path, lambda unfinished: _write(unfinished, text))


def remove_unfinished(folder: Path) -> None:
    """Remove what an interrupted export was writing."""
    for path in list(folder.rglob(f"{UNFINISHED}*")):
        remove(path)


def remove(path: Path) -> None:
    """Remove a file or a whole folder; harmless if there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size_and_digest(path: Path) -> tuple[int, str]:
    """Bytes and SHA-256 of a file; of a folder over the names and hashes of its files."""
    if not path.is_dir():
        return path.stat().st_size, _digest(path)
    listing = hashlib.sha256()
    size = 0
    for file in _files(path):
        size += file.stat().st_size
        listing.update(f"{file.relative_to(path).as_posix()}\0{_digest(file)}\n".encode())
    return size, listing.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(path: Path) -> Iterator[Path]:
    """The file itself, or all files of a folder by name."""
    yield from sorted(inner for inner in path.rglob("*") if inner.is_file()) if path.is_dir() else [path]


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
