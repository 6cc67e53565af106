"""The image store: blobs under the hash of their bytes, on any fsspec file system, written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from db.errors import BlobMissing, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsspec import AbstractFileSystem


@dataclass(frozen=True, kw_only=True)
class Blob:
    """One stored blob as `gc` sees it: its hash, its size in bytes, and when it was written (seconds since 1970)."""

    content_hash: str
    byte_size: int
    written_at: float


class Store:
    """Content-addressed blobs: equal bytes are kept once, and a name never changes its content."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._folders: set[str] = set()
        self._fs: AbstractFileSystem
        try:
            self._fs, self._root = fsspec.core.url_to_fs(location)
        except (ImportError, ValueError) as error:
            raise StoreError(f"PARAGONE_STORE_URL {location!r} cannot be opened: {error}") from None

    def prepare(self) -> None:
        """Make the store's folder; harmless if it is there."""
        self._fs.makedirs(self._root, exist_ok=True)

    def path(self, content_hash: str) -> str:
        """Where a blob lies; two levels of folders keep listings short at 10^7 blobs."""
        return f"{self._root}/blobs/{content_hash[:2]}/{content_hash[2:4]}/{content_hash}"

    def put(self, data: bytes) -> str:
        """Store `data` and return its SHA-256 in hex; does nothing if it is there."""
        content_hash = hashlib.sha256(data).hexdigest()
        path = self.path(content_hash)
        try:
            if not self._fs.exists(path):
                self._write_whole(path, data)
            elif isinstance(self._fs, LocalFileSystem):
                os.utime(path)  # young again: `gc` must not take what a running job has just put
        except OSError as error:
            raise StoreError(f"the store at {self.location} refused a blob: {error}") from error
        return content_hash

    def put_named(self, name: str, data: bytes) -> None:
        """Store `data` under a name of its own (caches, reports) instead of its hash, replacing what was there."""
        try:
            self._write_whole(f"{self._root}/{name}", data)
        except OSError as error:
            raise StoreError(f"the store at {self.location} refused {name}: {error}") from error

    def get_named(self, name: str) -> bytes:
        """What was stored under a name; raises `BlobMissing`."""
        return self._read(f"{self._root}/{name}", name)

    def names(self, folder: str) -> list[str]:
        """The names stored under a folder, sorted; empty if there is no such folder."""
        try:
            found = self._fs.ls(f"{self._root}/{folder}", detail=False)
        except FileNotFoundError:
            return []
        return sorted(f"{folder}/{path.rsplit('/', 1)[-1]}" for path in found if ".writing-" not in path)

    def get(self, content_hash: str) -> bytes:
        """The bytes of a blob; raises `BlobMissing`."""
        return self._read(self.path(content_hash), content_hash)

    def check(self) -> None:
        """Raises `StoreUnavailable` if the store as a whole is away."""
        if not self._fs.exists(self._root):
            raise StoreUnavailable(f"the store at {self.location} is not there")

    def refresh(self, content_hash: str) -> bool:
        """Make a blob young again, so that `gc` does not take it; False if it is gone."""
        return self.exists(content_hash)

    def exists(self, content_hash: str) -> bool:
        """Whether the blob is there."""
        return bool(self._fs.exists(self.path(content_hash)))

    def delete(self, content_hash: str) -> None:
        """Take a blob out; harmless if it is gone."""
        try:
            self._fs.rm_file(self.path(content_hash))
        except FileNotFoundError:
            return

    def blobs(self) -> Iterator[Blob]:
        """Every blob with its size and age."""
        for path, info in self._fs.find(f"{self._root}/blobs", detail=True).items():
            yield _blob(path, info)

    def blob(self, content_hash: str) -> Blob | None:
        """One blob with its size and age as they are now; None if it is gone."""
        try:
            return _blob(content_hash, self._fs.info(self.path(content_hash)))
        except FileNotFoundError:
            return None

    def _read(self, path: str, name: str) -> bytes:
        try:
            return bytes(self._fs.cat_file(path))
        except FileNotFoundError:
            raise BlobMissing(f"the store at {self.location} does not hold {name}") from None
        except OSError as error:
            raise StoreError(f"the store at {self.location} cannot be read: {error}") from error

    def _write_whole(self, path: str, data: bytes) -> None:
        if not isinstance(self._fs, LocalFileSystem):
            self._fs.pipe_file(path, data)  # object stores publish an object only when it is whole
            return
        folder = path.rsplit("/", 1)[0]
        if folder not in self._folders:
            self._fs.makedirs(folder, exist_ok=True)
            self._folders.add(folder)
        scratch = f"{path}.writing-{uuid.uuid4().hex}"
        with open(scratch, "wb") as file:  # noqa: PTH123  # a plain path from fsspec
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)  # noqa: PTH105


def _blob(path: str, info: dict[str, Any]) -> Blob:
    written = info.get("mtime") or info.get("LastModified") or info.get("created") or 0.0
    moment = written if isinstance(written, int | float) else written.timestamp()
    return Blob(content_hash=path.rsplit("/", 1)[-1], byte_size=int(info["size"]), written_at=float(moment))
