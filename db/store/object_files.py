"""A store on any other file system that fsspec knows: S3, Google Cloud, Azure, SFTP, memory.

Here nothing can hold a store fast between a look at its marker and a write, but buckets are not unmounted either: a marker that was seen
within the last seconds is believed before a write. A file is said to be missing only after another look.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from db.errors import StoreUnavailable
from db.store.faults import MARKER
from db.store.files import CHUNK, PROBE, SCRATCH, StoredFile
from db.store.marker import marked_id, marker_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from fsspec import AbstractFileSystem

    from db.store.faults import StoreFaults

#: For how many seconds a marker that was seen is believed before a write.
BELIEVED_SECONDS = 3.0
#: How file systems call the time of a file's last writing.
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")


class ObjectFiles:
    """Files below a URL; `StoreFiles` says what its methods do."""

    def __init__(self, fs: AbstractFileSystem, root: str, *, faults: StoreFaults, store_id: Callable[[], str]) -> None:
        self.root = root
        self._fs = fs
        self._faults = faults
        self._store_id = store_id
        self._seen_at = float("-inf")

    def marker(self) -> str | None:
        """One request."""
        with self._answering():
            try:
                return marked_id(self._fs.cat_file(self._path(MARKER)))
            except FileNotFoundError as error:
                self._faults.refuse_missing_bucket(error)
                return None

    def mark(self, store_id: str, *, replace: bool = False) -> str:
        """Whoever makes a store holds a lock of the database meanwhile: of two writers of one database there is none."""
        if (found := self.marker()) and not replace:
            return found
        with self._taking():
            try:
                self._fs.pipe_file(self._path(MARKER), marker_bytes(store_id))
            except FileNotFoundError:  # a file system with folders
                with suppress(FileExistsError):
                    self._fs.makedirs(self.root, exist_ok=True)
                self._fs.pipe_file(self._path(MARKER), marker_bytes(store_id))
        return self.marker() or store_id

    def count(self, names: Collection[str]) -> int:
        """One request for each."""
        with self._answering():
            return sum(bool(self._fs.exists(self._path(name))) for name in names)

    def check(self, *, writable: bool) -> None:
        """One request, and two more if it is to be writable."""
        self._verify()
        if writable:
            name = f"{SCRATCH}/probe-{uuid.uuid4().hex}"
            self.save(name, PROBE)
            self.discard(name)

    def read(self, name: str) -> bytes:
        """The marker is asked for only where something goes wrong."""
        try:
            return bytes(self._fs.cat_file(self._path(name)))
        except Exception:
            self._verify()
            raise

    def digest(self, name: str) -> str:
        """By range requests."""
        digest = hashlib.sha256()
        try:
            with self._fs.open(self._path(name), "rb") as file:
                while piece := file.read(CHUNK):
                    digest.update(piece)
        except Exception:
            self._verify()
            raise
        return digest.hexdigest()

    def save(self, name: str, data: bytes) -> None:
        """Object stores publish an object only when it is whole."""
        self._verify(within=BELIEVED_SECONDS)
        path = self._path(name)
        with self._taking():
            try:
                self._fs.pipe_file(path, data)
            except FileNotFoundError:  # a file system with folders
                self._verify()
                self._fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
                self._fs.pipe_file(path, data)

    def keep(self, name: str, data: bytes) -> None:
        """Written again, which is the one way to make an object young."""
        self.save(name, data)

    def refresh(self, name: str) -> bool:
        """Reads it and writes it again."""
        try:
            data = self.read(name)
        except FileNotFoundError:
            return False
        except StoreUnavailable:
            raise
        except Exception as error:
            raise self._faults.unreachable(error) from error
        self.save(name, data)
        return True

    def stat(self, name: str) -> StoredFile | None:
        """One request if it is there."""
        with self._answering():
            try:
                return _stored(name, self._fs.info(self._path(name)))
            except FileNotFoundError:
                self._verify()
                return None

    def missing(self, names: Collection[str]) -> set[str]:
        """Listings instead of one request for each: of the folders two levels down in which such files would lie."""
        found: set[str] = set()
        for folder in sorted({"/".join(name.split("/")[:2]) for name in names}):
            found |= {file.name for file in self.listing(folder)} & set(names)
        self._verify()
        return set(names) - found

    def names(self, folder: str) -> list[str]:
        """In any order."""
        with self._answering():
            try:
                found = self._fs.ls(self._path(folder), detail=True)
            except FileNotFoundError:
                self._verify()
                return []
        return [f"{folder}/{info['name'].rsplit('/', 1)[-1]}" for info in found if info["type"] == "file"]

    def listing(self, folder: str) -> list[StoredFile]:
        """By pages of a thousand where that is how the service answers."""
        self._verify(within=BELIEVED_SECONDS)
        start = len(self._path(""))
        with self._answering():
            try:
                found = self._fs.find(self._path(folder), detail=True)
            except FileNotFoundError:
                return []
        return [_stored(path[start:], info) for path, info in found.items()]

    def move(self, name: str, target: str) -> None:
        """Copies and removes."""
        self._verify(within=BELIEVED_SECONDS)
        with self._taking(), suppress(FileNotFoundError):
            with suppress(FileExistsError):  # a file system with folders
                self._fs.makedirs(self._path(target).rsplit("/", 1)[0], exist_ok=True)
            self._fs.mv(self._path(name), self._path(target))

    def discard(self, name: str) -> None:
        """One request."""
        self._verify(within=BELIEVED_SECONDS)
        with self._taking(), suppress(FileNotFoundError):
            self._fs.rm_file(self._path(name))

    def discard_if_older(self, name: str, moment: float) -> bool:
        """Looked at right before: what is written again between these two requests is lost, which no object store can prevent."""
        found = self.stat(name)
        if found is None or found.written_at >= moment:
            return False
        self.discard(name)
        return True

    def clock(self) -> float:
        """Read off a new object; raises `StoreUnavailable` where a file system tells no times."""
        name = f"{SCRATCH}/clock-{uuid.uuid4().hex}"
        self.save(name, b"")
        found = self.stat(name)
        self.discard(name)
        if found is None or found.written_at == float("inf"):
            raise StoreUnavailable(f"{self._faults.place} does not tell when a file was written: nothing in it can be called old")
        return found.written_at

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _verify(self, *, within: float = 0.0) -> None:
        asked_at = time.monotonic()
        if asked_at - self._seen_at < within:
            return
        wanted = self._store_id()
        self._faults.verify(self.marker(), wanted)
        self._seen_at = asked_at

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Libraries of object stores raise errors of their own, which have no common base."""
        try:
            yield
        except StoreUnavailable:
            raise
        except Exception as error:
            raise self._faults.unreachable(error) from error

    @contextmanager
    def _taking(self) -> Iterator[None]:
        try:
            yield
        except StoreUnavailable:
            raise
        except Exception as error:
            raise self._faults.refused(error) from error


def _stored(name: str, info: dict[str, Any]) -> StoredFile:
    return StoredFile(name=name, byte_size=int(info.get("size") or 0), written_at=_moment(info))


def _moment(info: dict[str, Any]) -> float:
    """When a file was written; for ever young where that is not told."""
    found = next((info[name] for name in _TIMES if info.get(name)), None)
    if isinstance(found, str):
        found = datetime.fromisoformat(found)
    if isinstance(found, datetime):
        return found.timestamp()
    return float(found) if isinstance(found, int | float) else float("inf")
