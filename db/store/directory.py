"""Files relative to the descriptor of an open directory: whatever happens to its path meanwhile, they belong to this directory."""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from db.store.faults import MARKER
from db.store.files import CHUNK, SCRATCH, StoredFile
from db.store.marker import marked_id, marker_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a file system answers that knows no hard links.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def read_marker(root: int) -> str | None:
    """The id in the marker; None if there is none."""
    try:
        return marked_id(read_file(root, MARKER))
    except FileNotFoundError:
        return None


def write_marker(root: int, store_id: str, *, replace: bool) -> str:
    """Write the marker, whole; unless it is to be replaced the first of several writers wins. Returns the id that it holds then."""
    if not replace and (found := read_marker(root)):
        return found
    scratch = _written(root, marker_bytes(store_id))
    try:
        if replace or not _linked(root, scratch):
            os.replace(scratch, MARKER, src_dir_fd=root, dst_dir_fd=root)
    finally:
        with suppress(OSError):
            os.unlink(scratch, dir_fd=root)
    os.fsync(root)
    return read_marker(root) or write_marker(root, store_id, replace=True)


def _linked(root: int, scratch: str) -> bool:
    """Give the scratch file the marker's name unless another has it; False if that cannot be done on this file system."""
    try:
        os.link(scratch, MARKER, src_dir_fd=root, dst_dir_fd=root)
    except FileExistsError:
        return True
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    return True


def read_file(root: int, name: str) -> bytes:
    """The whole file."""
    with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=root), "rb") as file:
        return file.read()


def digest_file(root: int, name: str) -> str:
    """The SHA-256 of a file, read by pieces."""
    digest = hashlib.sha256()
    with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=root), "rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def write_whole(root: int, name: str, data: bytes) -> None:
    """Write a file so that it is there whole or not at all; the scratch file goes whatever happens."""
    scratch = _written(root, data)
    try:
        try:
            os.replace(scratch, name, src_dir_fd=root, dst_dir_fd=root)
        except FileNotFoundError:
            make_folders(root, name)
            os.replace(scratch, name, src_dir_fd=root, dst_dir_fd=root)
    except BaseException:
        with suppress(OSError):
            os.unlink(scratch, dir_fd=root)
        raise


def _written(root: int, data: bytes) -> str:
    """The name of a new scratch file with this content, on the disk."""
    scratch = f"{SCRATCH}/{uuid.uuid4().hex}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        descriptor = os.open(scratch, flags, 0o666, dir_fd=root)
    except FileNotFoundError:
        make_folders(root, scratch)
        descriptor = os.open(scratch, flags, 0o666, dir_fd=root)
    try:
        try:
            remaining = memoryview(data)
            while remaining:
                remaining = remaining[os.write(descriptor, remaining) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        with suppress(OSError):
            os.unlink(scratch, dir_fd=root)
        raise
    return scratch


def make_folders(root: int, name: str) -> None:
    """Make the folders of a file, below the root only."""
    folders = name.split("/")[:-1]
    for depth in range(1, len(folders) + 1):
        with suppress(FileExistsError):
            os.mkdir("/".join(folders[:depth]), dir_fd=root)


def stat_file(root: int, name: str) -> StoredFile | None:
    """Size and age; None if there is no such file."""
    try:
        found = os.stat(name, dir_fd=root)
    except FileNotFoundError:
        return None
    return StoredFile(name=name, byte_size=found.st_size, written_at=found.st_mtime)


def probe_time(root: int) -> float:
    """When a file was written that was written now, by the clock of the file system."""
    scratch = _written(root, b"")
    try:
        return os.stat(scratch, dir_fd=root).st_mtime
    finally:
        os.unlink(scratch, dir_fd=root)


def files_in(root: int, folder: str) -> list[str]:
    """The names of the files right in a folder."""
    with _opened(root, folder) as inside, os.scandir(inside) as entries:
        return [f"{folder}/{entry.name}" for entry in entries if entry.is_file()]


def files_below(root: int, folder: str) -> Iterator[StoredFile]:
    """All files below a folder, which may lose some meanwhile."""
    try:
        with _opened(root, folder) as inside, os.scandir(inside) as entries:
            found = list(entries)
            for entry in found:
                name = f"{folder}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    yield from files_below(root, name)
                    continue
                with suppress(FileNotFoundError):
                    facts = entry.stat()
                    yield StoredFile(name=name, byte_size=facts.st_size, written_at=facts.st_mtime)
    except FileNotFoundError:
        return


@contextmanager
def _opened(root: int, folder: str) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY, dir_fd=root)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
