"""The image store: blobs under the hash of their bytes, in a local folder or on any fsspec file system, written whole or not at all.

A store is the one whose marker holds the id that the database knows. Without it nothing is written, nothing is said to be missing, nothing
is removed: an empty mount point is no store.
"""

from __future__ import annotations

import hashlib
import re
import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem

from db.errors import BlobMissing, PersistenceError, StoreError
from db.store.faults import StoreFaults
from db.store.files import DAMAGED, SCRATCH, TRASH, StoredFile
from db.store.local_files import LocalFiles
from db.store.location import display_location, without_secrets
from db.store.object_files import ObjectFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from db.store.files import StoreFiles

T = TypeVar("T")

#: How blobs are divided: by the first two hex digits of their hashes.
SHARDS = tuple(f"{number:02x}" for number in range(256))


@dataclass(frozen=True, kw_only=True)
class Blob:
    """One stored blob as `gc` sees it: its hash, its size in bytes, and when it was written (seconds since 1970, by the store's clock)."""

    content_hash: str
    byte_size: int
    written_at: float


@dataclass(frozen=True, kw_only=True)
class Shard:
    """What lies in one 256th of the store."""

    blobs: list[Blob]
    #: Blobs that a collection which was killed had renamed: the file, and the hash of what it was.
    renamed: list[tuple[StoredFile, str]]
    #: Other files, such as those that older versions left half written.
    strays: list[StoredFile]


class Store:
    """Content-addressed blobs: equal bytes are kept once, and a name never changes its content.

    Everything but the constructor raises `StoreUnavailable` while the store is away or is another one than the database knows, and
    `DatabaseUnavailable` if the database cannot be asked which one that is.
    """

    def __init__(self, location: str, *, store_id: Callable[[], str]) -> None:
        """Opens nothing.

        Args:
            location: a folder or an fsspec URL.
            store_id: tells the id that the marker must hold; asked once, when it is first needed.

        Raises:
            StoreError: no file system knows such a URL.
        """
        self.location = location
        self._ask_for_id = store_id
        self._id: str | None = None
        self._asking = threading.Lock()
        self._faults = StoreFaults(location=location)
        self.files: StoreFiles
        try:
            fs, root = fsspec.core.url_to_fs(location, **_options(location))
        except (ImportError, ValueError) as error:
            cause = without_secrets(str(error), location)
            raise StoreError(f"PARAGONE_STORE_URL {display_location(location)!r} cannot be opened: {cause}") from None
        if isinstance(fs, LocalFileSystem):
            self.files = LocalFiles(root, faults=self._faults, store_id=self._known_id)
        else:
            # It would say for ever what was there once. (Not as an option: some file systems take no options that they do not know.)
            fs.dircache.use_listings_cache = False
            self.files = ObjectFiles(fs, root, faults=self._faults, store_id=self._known_id)
        self._root = root

    @classmethod
    def create(cls, location: str) -> Store:
        """The store there, made if there is none, whatever a database says: for stores that belong to no database."""
        store = cls(location, store_id=lambda: store.files.mark(str(uuid.uuid4())))
        store.check()
        return store

    @property
    def display_location(self) -> str:
        """Where it is, without a password."""
        return display_location(self.location)

    def path(self, content_hash: str) -> str:
        """Where a blob lies; two levels of folders keep listings short at 10^7 blobs."""
        return f"{self._root}/{_name(content_hash)}"

    def check(self, *, writable: bool = True) -> None:
        """Raise `StoreUnavailable`, in one line with cause and fix, unless the store is there and, if that is asked, has room."""
        self.files.check(writable=writable)

    def refuse_unless_held(self, content_hashes: Collection[str]) -> None:
        """Raise `StoreUnavailable` unless most of these blobs are there, whatever the marker says."""
        if content_hashes and 2 * self.files.count([_name(content_hash) for content_hash in content_hashes]) <= len(content_hashes):
            raise self._faults.strange()

    def put(self, data: bytes) -> str:
        """Store `data` and return its SHA-256 in hex; what is there becomes young again, so that `gc` leaves it."""
        content_hash = hashlib.sha256(data).hexdigest()
        self.files.keep(_name(content_hash), data)
        return content_hash

    def put_named(self, name: str, data: bytes) -> None:
        """Store `data` under a name of its own (caches, reports) instead of its hash, replacing what was there."""
        self.files.save(name, data)

    def get_named(self, name: str) -> bytes:
        """What was stored under a name; raises `BlobMissing`."""
        return self._read(name, name)

    def names(self, folder: str) -> list[str]:
        """The names stored under a folder, sorted; empty if there is no such folder."""
        return sorted(name for name in self.files.names(folder) if ".writing-" not in name)

    def get(self, content_hash: str) -> bytes:
        """The bytes of a blob.

        Raises:
            BlobMissing: the store, which is there, does not hold it.
            StoreError: it cannot be read, though the store is there.
        """
        return self._read(_name(content_hash), content_hash)

    def digest(self, content_hash: str) -> str:
        """The SHA-256 of a blob's bytes as they are now, read piece by piece; raises what `get` raises."""
        return self._reading(self.files.digest, _name(content_hash), content_hash)

    def set_aside(self, content_hash: str) -> None:
        """Move a damaged blob out of the way, into the folder `damaged`, so that it can be written again; harmless if it is gone."""
        self.files.move(_name(content_hash), f"{DAMAGED}/{content_hash}")

    def exists(self, content_hash: str) -> bool:
        """Whether the blob is there."""
        return self.files.stat(_name(content_hash)) is not None

    def missing(self, content_hashes: Iterable[str]) -> set[str]:
        """Those of these blobs that are not there; on object stores by listings, not by one request for each."""
        names = {_name(content_hash) for content_hash in content_hashes}
        return {name.rsplit("/", 1)[-1] for name in self.files.missing(names)} if names else set()

    def refresh(self, content_hash: str) -> bool:
        """Make a blob young again, so that `gc` leaves it; False if it is not there."""
        return self.files.refresh(_name(content_hash))

    def delete(self, content_hash: str) -> None:
        """Take a blob out; harmless if it is gone."""
        self.files.discard(_name(content_hash))

    def delete_if_older(self, content_hash: str, moment: float) -> bool:
        """Take a blob out unless it was written at that moment (by the store's clock) or later; returns whether it was taken.

        One that is put meanwhile stays, or is there again when `put` returns; on object stores two requests lie between look and removal.
        """
        return self.files.discard_if_older(_name(content_hash), moment)

    def blobs(self) -> Iterator[Blob]:
        """Every blob with its size and age; one shard at a time is held."""
        for shard in SHARDS:
            yield from self.shard(shard).blobs

    def shard(self, digits: str) -> Shard:
        """What lies under one pair of hex digits; raises `StoreUnavailable` if the store went away meanwhile."""
        shard = Shard(blobs=[], renamed=[], strays=[])
        for file in self.files.listing(f"blobs/{digits}"):
            last = file.name.rsplit("/", 1)[-1]
            content_hash, trash, _ = last.partition(TRASH)
            if file.name == _name(last) and _is_hash(last):
                shard.blobs.append(Blob(content_hash=last, byte_size=file.byte_size, written_at=file.written_at))
            elif trash and _is_hash(content_hash):
                shard.renamed.append((file, content_hash))
            else:
                shard.strays.append(file)
        return shard

    def blob(self, content_hash: str) -> Blob | None:
        """One blob with its size and age as they are now; None if it is gone."""
        file = self.files.stat(_name(content_hash))
        return None if file is None else Blob(content_hash=content_hash, byte_size=file.byte_size, written_at=file.written_at)

    def scratch(self) -> list[StoredFile]:
        """Files that are being written, or that were when a process was killed."""
        return self.files.listing(SCRATCH)

    def restore(self, renamed: StoredFile, content_hash: str) -> None:
        """Give a blob its name back."""
        self.files.move(renamed.name, _name(content_hash))

    def _read(self, name: str, what: str) -> bytes:
        return self._reading(self.files.read, name, what)

    def _reading(self, read: Callable[[str], T], name: str, what: str) -> T:
        try:
            return read(name)
        except FileNotFoundError:
            raise BlobMissing(f"the store at {self.display_location} does not hold {what}") from None
        except PersistenceError:
            raise
        except Exception as error:
            raise StoreError(f"the store at {self.display_location} cannot be read: {what}: {self._faults.cause(error)}") from error

    def _known_id(self) -> str:
        if self._id is None:
            with self._asking:
                self._id = self._id or self._ask_for_id()
        return self._id


def _options(location: str) -> dict[str, Any]:
    # By default s3fs asks for a file's size before it reads it, to fetch large ones in parts: a second request for each image, whose answer
    # has no body to tell a wrong key from a missing right.
    return {"max_concurrency": 1} if location.startswith(("s3://", "s3a://")) else {}


def _name(content_hash: str) -> str:
    return f"blobs/{content_hash[:2]}/{content_hash[2:4]}/{content_hash}"


def _is_hash(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", text) is not None
