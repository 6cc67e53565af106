"""What a store needs of the place where its files lie: one implementation for local folders, one for other file systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

#: Folder of files that are being written. Where a process was killed, they stay.
SCRATCH = "scratch"
#: Folder of blobs whose bytes were not what their names say.
DAMAGED = "damaged"
#: Bytes that are read at once where a file is hashed.
CHUNK = 1 << 20
#: In the name of a blob that is about to be removed.
TRASH = ".trash-"
#: What `check` writes: a disk with less room than an image needs is full.
PROBE = bytes(1 << 20)


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """One file: its path below the root, its size in bytes, and when it was written by the store's own clock (seconds since 1970)."""

    name: str
    byte_size: int
    written_at: float


class StoreFiles(Protocol):
    """Files below the root of a store; names are relative paths with "/".

    Whatever follows `mark` works on a verified store only: one whose marker holds the id that the database knows. All of it may raise
    `StoreUnavailable`, and what is said to be missing is missing from a verified store.
    """

    def marker(self) -> str | None:
        """The id in the store's marker; None if there is no store."""
        ...

    def mark(self, store_id: str, *, replace: bool = False) -> str:
        """Make the root and its marker, unless one is there that is not to be replaced; returns the id that the marker holds then."""
        ...

    def count(self, names: Collection[str]) -> int:
        """How many of these files are in the root, whatever its marker says."""
        ...

    def check(self, *, writable: bool) -> None:
        """Raise `StoreUnavailable` unless this is the store that the database knows and, if that is asked, takes files."""
        ...

    def read(self, name: str) -> bytes:
        """The whole file.

        Raises:
            FileNotFoundError: it is missing.
            Exception: this one file cannot be read.
        """
        ...

    def digest(self, name: str) -> str:
        """The SHA-256 of the file in hex, of which never more than a piece is held; raises what `read` raises."""
        ...

    def save(self, name: str, data: bytes) -> None:
        """Write the file, whole or not at all, in place of one that is there."""
        ...

    def keep(self, name: str, data: bytes) -> None:
        """Write a file whose content never changes: one that is there becomes young again."""
        ...

    def refresh(self, name: str) -> bool:
        """Make a file young again; False if it is missing."""
        ...

    def stat(self, name: str) -> StoredFile | None:
        """Size and age; None if it is missing."""
        ...

    def missing(self, names: Collection[str]) -> set[str]:
        """Those of these files that are missing."""
        ...

    def names(self, folder: str) -> list[str]:
        """The files right in a folder; none if it is missing."""
        ...

    def listing(self, folder: str) -> list[StoredFile]:
        """All files below a folder; none if it is missing."""
        ...

    def move(self, name: str, target: str) -> None:
        """Give a file another name; harmless if it is missing."""
        ...

    def discard(self, name: str) -> None:
        """Take a file out; harmless if it is missing."""
        ...

    def discard_if_older(self, name: str, moment: float) -> bool:
        """Take a file out unless it is as young as that or becomes so meanwhile; returns whether it was taken."""
        ...

    def clock(self) -> float:
        """What the store's own clock says, in seconds since 1970: ages are measured by the one that wrote the files."""
        ...
