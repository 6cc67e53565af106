"""The difference hashes of originals, read from their pictures when they are asked for and kept while the program runs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from db.errors import BlobMissing
from db.images import UnreadableImage, decode_image
from trainer.quality.perceptual_hash import difference_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

#: Threads that read and decode.
_READERS = 4


class OriginalHashes:
    """64 bits a picture, by content hash."""

    def __init__(self, read_image: Callable[[str, str | None], bytes], links: Mapping[str, str | None]) -> None:
        """`links` has the path of each original that was left outside the store."""
        self._read_image = read_image
        self._links = links
        self._known: dict[str, int] = {}

    def of(self, content_hashes: Sequence[str]) -> npt.NDArray[np.uint64]:
        """(n,) their hashes; of a picture that cannot be read bits that are near to no other's. Raises `StoreUnavailable`."""
        new = sorted(set(content_hashes) - self._known.keys())
        if new:
            with ThreadPoolExecutor(_READERS) as readers:
                self._known.update(zip(new, readers.map(self._hash, new), strict=True))
        return np.array([self._known[one] for one in content_hashes], dtype=np.uint64)

    def _hash(self, content_hash: str) -> int:
        try:
            return difference_hash(decode_image(self._read_image(content_hash, self._links.get(content_hash))).image)
        except (BlobMissing, UnreadableImage, OSError):
            # Its vector is from before, and nobody can see it any more: 64 bits of its name differ from any hash in 32 on average.
            return int.from_bytes(bytes.fromhex(content_hash)[:8], "big")
