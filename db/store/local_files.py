"""A store in a local folder.

Each operation opens the root, reads the marker through that descriptor, and works relative to it: a disk that is unmounted, or a folder
that is swapped in between, cannot take a file. It lands in the verified store or nowhere.
"""

from __future__ import annotations

import errno
import os
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from db.store.directory import (
    digest_file,
    files_below,
    files_in,
    make_folders,
    probe_time,
    read_file,
    read_marker,
    stat_file,
    write_marker,
    write_whole,
)
from db.store.faults import MARKER
from db.store.files import PROBE, SCRATCH, TRASH, StoredFile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from db.store.faults import StoreFaults


class LocalFiles:
    """Files below a local folder; `StoreFiles` says what its methods do."""

    def __init__(self, root: str, *, faults: StoreFaults, store_id: Callable[[], str]) -> None:
        self.root = root
        self._faults = faults
        self._store_id = store_id

    def marker(self) -> str | None:
        """None also for a folder that is not there."""
        with self._reading():
            try:
                root = self._open()
            except FileNotFoundError:
                return None
            try:
                return read_marker(root)
            finally:
                os.close(root)

    def mark(self, store_id: str, *, replace: bool = False) -> str:
        """The only one that makes the root."""
        with self._writing():
            try:
                Path(self.root).mkdir(parents=True, exist_ok=True)
            except FileExistsError:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
            root = self._open()
            try:
                return write_marker(root, store_id, replace=replace)
            finally:
                os.close(root)

    def count(self, names: Collection[str]) -> int:
        """Refuses a root that is not there."""
        with self._reading():
            try:
                root = self._open()
            except FileNotFoundError:
                raise self._faults.absent() from None
            try:
                return sum(stat_file(root, name) is not None for name in names)
            finally:
                os.close(root)

    def check(self, *, writable: bool) -> None:
        """Costs three calls, and a file of the size of an image if it is to be writable."""
        with self._verified():
            pass
        if writable:
            name = f"{SCRATCH}/probe-{uuid.uuid4().hex}"
            self.save(name, PROBE)
            self.discard(name)

    def read(self, name: str) -> bytes:
        """A store that went away meanwhile is no verdict on the file."""
        try:
            with self._verified() as root:
                return read_file(root, name)
        except OSError:
            self.check(writable=False)
            raise

    def digest(self, name: str) -> str:
        """The same."""
        try:
            with self._verified() as root:
                return digest_file(root, name)
        except OSError:
            self.check(writable=False)
            raise

    def save(self, name: str, data: bytes) -> None:
        """Anything that goes wrong is the store's fault."""
        with self._writing(), self._verified() as root:
            try:
                write_whole(root, name, data)
            except FileNotFoundError:  # a collection took the scratch file of a process that had slept for long
                write_whole(root, name, data)

    def keep(self, name: str, data: bytes) -> None:
        """Without a look before: either the file is young before a collection looks at it, or it is gone and written anew."""
        if not self._touched(name):
            self.save(name, data)

    def refresh(self, name: str) -> bool:
        """By its time alone where the owner of the file lets us, else by writing it anew."""
        if self._touched(name):
            return True
        try:
            self.save(name, self.read(name))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._faults.unreachable(error) from error
        return True

    def stat(self, name: str) -> StoredFile | None:
        """Missing only if the store is still there afterwards."""
        with self._reading(), self._verified() as root:
            found = stat_file(root, name)
        if found is None:
            self.check(writable=False)
        return found

    def missing(self, names: Collection[str]) -> set[str]:
        """One call for each file, and the store is still there afterwards."""
        with self._reading(), self._verified() as root:
            missing = {name for name in names if stat_file(root, name) is None}
        self.check(writable=False)
        return missing

    def names(self, folder: str) -> list[str]:
        """In any order."""
        with self._reading(), self._verified() as root:
            try:
                return files_in(root, folder)
            except FileNotFoundError:
                pass
        self.check(writable=False)
        return []

    def listing(self, folder: str) -> list[StoredFile]:
        """In any order."""
        with self._reading(), self._verified() as root:
            return list(files_below(root, folder))

    def move(self, name: str, target: str) -> None:
        """Atomic."""
        with self._writing(), self._verified() as root, suppress(FileNotFoundError):
            make_folders(root, target)
            os.rename(name, target, src_dir_fd=root, dst_dir_fd=root)

    def discard(self, name: str) -> None:
        """Atomic."""
        with self._writing(), self._verified() as root, suppress(FileNotFoundError):
            os.unlink(name, dir_fd=root)

    def discard_if_older(self, name: str, moment: float) -> bool:
        """What is renamed cannot become young under our hands: a `keep` came before and is seen now, or finds nothing and writes anew."""
        trash = f"{name}{TRASH}{uuid.uuid4().hex}"
        with self._writing(), self._verified() as root, suppress(FileNotFoundError):
            if os.stat(name, dir_fd=root).st_mtime >= moment:
                return False
            os.rename(name, trash, src_dir_fd=root, dst_dir_fd=root)
            if os.stat(trash, dir_fd=root).st_mtime >= moment:
                os.rename(trash, name, src_dir_fd=root, dst_dir_fd=root)
                return False
            os.unlink(trash, dir_fd=root)
            return True
        return False

    def clock(self) -> float:
        """Read off the marker: making a file would need room, and a collection is what a full disk needs."""
        with self._writing(), self._verified() as root:
            try:
                os.utime(MARKER, dir_fd=root)
            except PermissionError:  # another user made the store
                return probe_time(root)
            return os.stat(MARKER, dir_fd=root).st_mtime

    def _touched(self, name: str) -> bool:
        """Whether the file is there and young now."""
        with self._writing(), self._verified() as root:
            try:
                os.utime(name, dir_fd=root)
            except (FileNotFoundError, PermissionError):  # not there, or the file of another user
                return False
        return True

    def _open(self) -> int:
        return os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)

    @contextmanager
    def _verified(self) -> Iterator[int]:
        """A descriptor of the root of the very store that the database knows."""
        wanted = self._store_id()
        try:
            root = self._open()
        except FileNotFoundError:
            raise self._faults.absent() from None
        except OSError as error:
            raise self._faults.unreachable(error) from error
        try:
            try:
                found = read_marker(root)
            except OSError as error:
                raise self._faults.unreachable(error) from error
            self._faults.verify(found, wanted)
            yield root
        finally:
            os.close(root)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._faults.unreachable(error) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._faults.refused(error) from error
