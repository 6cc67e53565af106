"""What is wrong with a store as a whole, in one line each: where it is, the cause, and what helps."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from db.errors import StoreUnavailable
from db.store.location import display_location, without_secrets
from db.store.s3_faults import s3_code, s3_fault

#: The file in the root of a store that says which one it is.
MARKER = "paragone-store.json"

_ADOPT = "If it was moved, emptied or replaced on purpose: `paragone init --adopt-store`"
_CAUSES = {
    errno.ENOSPC: "is full: make room there",
    errno.EDQUOT: "is full: its quota is used up",
    errno.EROFS: "is read-only: is its disk in good order?",
    errno.ENOTDIR: "is not a folder: check PARAGONE_STORE_URL",
}


@dataclass(frozen=True, kw_only=True)
class StoreFaults:
    """Makes the errors of one store."""

    #: As it is configured, perhaps with a password.
    location: str

    @property
    def place(self) -> str:
        """The store, as messages call it."""
        return f"the store at {display_location(self.location)}"

    def verify(self, found: str | None, wanted: str) -> None:
        """Raise `StoreUnavailable` unless the id in the marker (None: there is no marker) is the one that the database knows."""
        if found is None:
            raise StoreUnavailable(f"{self.place} has no marker of this database ({MARKER}): is the disk mounted? {_ADOPT}")
        if found != wanted:
            raise StoreUnavailable(f"{self.place} belongs to another database: check PARAGONE_STORE_URL. {_ADOPT}")

    def absent(self) -> StoreUnavailable:
        """There is no such folder."""
        return StoreUnavailable(f"{self.place} is not there: is the disk mounted? {_ADOPT}")

    def strange(self) -> StoreUnavailable:
        """A database that was migrated from an older version names blobs, and they are not here."""
        return StoreUnavailable(f"{self.place} does not hold the images that the database names: is the disk mounted? {_ADOPT}")

    def refuse_missing_bucket(self, error: FileNotFoundError) -> None:
        """Raise `StoreUnavailable` if it is the bucket that is missing, not a file in it: nothing makes one unasked."""
        if s3_code(error) == "NoSuchBucket":
            raise self.unreachable(error) from error

    def unreachable(self, error: Exception) -> StoreUnavailable:
        """It cannot be opened, or does not answer."""
        return self._failed(error, "cannot be reached")

    def refused(self, error: Exception) -> StoreUnavailable:
        """It does not take what is written."""
        return self._failed(error, "cannot be written")

    def cause(self, error: Exception) -> str:
        """What an error says, in one line and without secrets; of S3, what helps."""
        if self.location.startswith("s3") and (fault := s3_fault(error)):
            return fault
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return without_secrets(" ".join(text.split()), self.location) or type(error).__name__

    def _failed(self, error: Exception, what: str) -> StoreUnavailable:
        known = _CAUSES.get(error.errno or 0) if isinstance(error, OSError) else None
        return StoreUnavailable(f"{self.place} {known or f'{what}: {self.cause(error)}'}")
