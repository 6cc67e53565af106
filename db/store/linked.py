"""Originals that were left where they are (`ingest --link`): a file that is gone, told from a disk that is not mounted."""

from __future__ import annotations

import errno
from pathlib import Path

from db.errors import BlobMissing, StoreUnavailable

#: What a mount answers whose server or device is away.
_AWAY = {errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.ENODEV, errno.ENXIO}


def read_linked(link: str) -> bytes:
    """The file of a linked original.

    Raises:
        BlobMissing: it is gone from a folder that holds other things.
        StoreUnavailable: the nearest folder on its path that there is holds nothing, as a mount point without its disk, or does not answer.
        OSError: it is there and cannot be read.
    """
    path = Path(link)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        empty = _empty_folder_above(path)
    except OSError as error:
        if error.errno in _AWAY:
            raise StoreUnavailable(f"the linked image {link} cannot be reached: {error.strerror}: is its disk in good order?") from error
        raise
    if empty is not None:
        raise StoreUnavailable(f"the linked image {link} is not there, and {empty} is empty: is the disk mounted?")
    try:
        return path.read_bytes()  # the disk may have come back between the two looks
    except FileNotFoundError:
        raise BlobMissing(f"the linked image {link} is gone: put it back, or ingest without --link") from None


def _empty_folder_above(path: Path) -> Path | None:
    """The nearest folder on the path that exists, if nothing is in it."""
    for folder in path.parents:
        try:
            return None if any(folder.iterdir()) else folder
        except FileNotFoundError:
            continue
        except OSError as error:
            return folder if error.errno in _AWAY else None
    return None
