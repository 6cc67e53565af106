"""Difference hashes of a dataset's pictures, each opened when it is first asked for and kept while the program runs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from db.errors import BlobMissing
from db.images import UnreadableImage, decode_image
from trainer.data.embeddings import ImageReference
from trainer.quality.perceptual_hash import difference_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

_READERS = 4


class PictureHashes:
    """The hash of each picture, named by its content hash; of the part that is embedded, where that is not all of it."""

    def __init__(self, read_image: Callable[[str, str | None], bytes], references: Mapping[str, ImageReference]) -> None:
        """`references` are of the pictures that were left outside the store or are shown in part; the others need none."""
        self._read_image = read_image
        self._references = references
        self._known: dict[str, int] = {}

    def of(self, contents: Sequence[str]) -> npt.NDArray[np.uint64]:
        """One hash for each, in order; of a picture that cannot be read bits that are near to no other's. Raises `StoreUnavailable`."""
        missing = [content for content in dict.fromkeys(contents) if content not in self._known]
        with ThreadPoolExecutor(max_workers=_READERS, thread_name_prefix="picture-hash") as readers:
            self._known.update(zip(missing, readers.map(self._hash, missing), strict=True))
        return np.array([self._known[content] for content in contents], dtype=np.uint64)

    def _hash(self, content: str) -> int:
        reference = self._references.get(content) or ImageReference(content_hash=content)
        try:
            image = decode_image(self._read_image(content, reference.link)).image
        except (BlobMissing, UnreadableImage, OSError):
            # It was embedded before and went away since: near nothing that anybody can still see.
            return int.from_bytes(bytes.fromhex(content)[:8], "big")
        return difference_hash(image if reference.box is None else image.crop(reference.box))
