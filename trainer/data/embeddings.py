"""CLIP embeddings of originals and repaints: computed once, read from the cache ever after."""

from __future__ import annotations

import hashlib
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import numpy as np

from db.errors import BlobMissing
from db.images import UnreadableImage, decode_image
from db.results.pairs import read_image_bytes
from trainer.data.scratch import scratch_array
from workers.backends.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt
    from PIL.Image import Image

    from db.store import Store
    from trainer.data.embedding_cache import EmbeddingCache

_log = logging.getLogger(__name__)

#: A shard is written after this many images or seconds, whichever comes first: little is lost when a host dies, and a million images
#: make a thousand shards.
SHARD_IMAGES, SHARD_SECONDS = 1024, 20.0

#: Threads that read and decode the next batch while the device works on this one.
_READERS = 4


class Embedder(Protocol):
    """Turns images into vectors."""

    #: The commit or content hash that was loaded; known after `load`.
    revision: str

    def load(self) -> None:
        """Bring the weights onto the device."""
        ...

    def embed_images(self, images: list[Image]) -> npt.NDArray[np.float32]:
        """One row for each image, in order, not normalised."""
        ...


@dataclass(frozen=True, kw_only=True)
class ImageReference:
    """An image by its content hash, and its path if it was left outside the store."""

    content_hash: str
    link: str | None = None
    #: Left, top, right, bottom of the part that is embedded, in pixels of the upright image; None for all of it.
    box: tuple[int, int, int, int] | None = None

    @property
    def key(self) -> str:
        """What its vector is cached under: 64 hex digits, the content hash itself where all of the image is embedded."""
        return self.content_hash if self.box is None else hashlib.sha256(f"{self.content_hash} {self.box}".encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """Vectors of unit length, one row an image, and why other images have none."""

    vectors: npt.NDArray[np.float32]
    #: Content hash to row.
    rows: dict[str, int]
    #: Content hash to reason.
    unreadable: dict[str, str] = field(default_factory=dict)
    #: How many were computed now rather than read from the cache.
    computed: int = 0


def embed(
    images: Iterable[ImageReference],
    *,
    embedder: Embedder,
    cache: EmbeddingCache,
    store: Store,
    read_image: Callable[[str, str | None], bytes] | None = None,
    batch_size: int = 64,
    on_progress: Callable[[int, int], None] | None = None,
) -> Embeddings:
    """Vectors of all images: from the cache where it holds them, else computed and written there.

    An image that cannot be read, or whose bytes are no longer those that were registered, is reported and left out.
    `read_image` gives an image's bytes by content hash and link; from the store or the link, if it is not given.
    `on_progress` is called with how many of the missing images are done, and how many were missing.
    """
    references = {image.key: image for image in images}
    names = {key: reference.content_hash for key, reference in references.items()}
    found = cache.read(references.keys())
    missing = [reference for key, reference in references.items() if key not in found]
    unreadable: dict[str, str] = {}
    shard = _Shard(cache)
    done = 0
    try:
        for batch in _decoded(missing, read_image or partial(read_image_bytes, store), batch_size):
            decoded = _without_unreadable(batch, unreadable)
            for key, vector in _vectors(decoded, embedder, unreadable):
                found[key] = vector
                shard.add(key, vector)
            shard.write_if_due()
            done += len(batch)
            if on_progress is not None:
                on_progress(done, len(missing))
    finally:
        shard.write()  # also when interrupted: what was computed is not lost
    computed = len(missing) - len(unreadable)
    rows = {names[key]: row for row, key in enumerate(found)}
    return Embeddings(
        vectors=_stacked(found), rows=rows, unreadable={names[key]: why for key, why in unreadable.items()}, computed=computed
    )


def read_images(
    references: Sequence[ImageReference], store: Store, batch_size: int, unreadable: dict[str, str]
) -> Iterator[list[tuple[str, Image]]]:
    """Batches of (content hash, RGB image), one read ahead; what cannot be read goes into `unreadable` with its reason."""
    for batch in _decoded(references, partial(read_image_bytes, store), batch_size):
        yield _without_unreadable(batch, unreadable)


def unit_length(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows scaled to length 1; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: npt.NDArray[np.float32] = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return scaled


class _Shard:
    """Vectors not yet written to the cache."""

    def __init__(self, cache: EmbeddingCache) -> None:
        self._cache = cache
        self._pending: dict[str, npt.NDArray[np.float32]] = {}
        self._since = time.monotonic()

    def add(self, content_hash: str, vector: npt.NDArray[np.float32]) -> None:
        self._pending[content_hash] = vector

    def write_if_due(self) -> None:
        if len(self._pending) >= SHARD_IMAGES or time.monotonic() - self._since >= SHARD_SECONDS:
            self.write()

    def write(self) -> None:
        if self._pending:
            self._cache.write(list(self._pending), np.stack(list(self._pending.values())))
        self._pending = {}
        self._since = time.monotonic()


def _decoded(
    references: Sequence[ImageReference], read: Callable[[str, str | None], bytes], batch_size: int
) -> Iterator[list[tuple[str, Image | str]]]:
    """Batches of (key, image or reason); one batch is read ahead."""
    remaining = iter(references)
    with ThreadPoolExecutor(max_workers=_READERS, thread_name_prefix="image-reader") as readers:
        ahead = [readers.submit(_read, reference, read) for reference in islice(remaining, batch_size)]
        while ahead:
            current = ahead
            ahead = [readers.submit(_read, reference, read) for reference in islice(remaining, batch_size)]
            yield [future.result() for future in current]


def _read(reference: ImageReference, read: Callable[[str, str | None], bytes]) -> tuple[str, Image | str]:
    content_hash, link = reference.content_hash, reference.link
    try:
        data = read(content_hash, link)
        if link is not None and hashlib.sha256(data).hexdigest() != content_hash:
            return reference.key, f"{link} is no longer the image that was ingested: run `paragone ingest` again"
        image = decode_image(data).image
        return reference.key, image if reference.box is None else image.crop(reference.box)
    except (BlobMissing, UnreadableImage, OSError) as error:
        return reference.key, str(error)


def _without_unreadable(batch: Sequence[tuple[str, Image | str]], unreadable: dict[str, str]) -> list[tuple[str, Image]]:
    decoded: list[tuple[str, Image]] = []
    for content_hash, image in batch:
        if isinstance(image, str):
            unreadable[content_hash] = image
            _log.warning("image has no embedding", extra={"content_hash": content_hash, "reason": image})
        else:
            decoded.append((content_hash, image))
    return decoded


def _vectors(
    decoded: Sequence[tuple[str, Image]], embedder: Embedder, unreadable: dict[str, str]
) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    if not decoded:
        return
    vectors = _embed_in_halves([image for _, image in decoded], embedder)
    for (content_hash, _), vector in zip(decoded, vectors, strict=True):
        if np.isfinite(vector).all():
            yield content_hash, vector
        else:
            unreadable[content_hash] = "the embedder gave NaN"


def _embed_in_halves(images: list[Image], embedder: Embedder) -> npt.NDArray[np.float32]:
    """All at once, or in halves if the device is too small for that."""
    try:
        return embedder.embed_images(images)
    except OutOfMemory:
        if len(images) == 1:
            raise
        middle = len(images) // 2
        return np.concatenate([_embed_in_halves(images[:middle], embedder), _embed_in_halves(images[middle:], embedder)])


def _stacked(found: dict[str, npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """One matrix of vectors of unit length, in a file if it is large; `found` is emptied meanwhile, so that nothing is held twice."""
    if not found:
        return np.zeros((0, 0), dtype=np.float32)
    keys = list(found)
    vectors = scratch_array((len(keys), len(found[keys[0]])))
    for start in range(0, len(keys), SHARD_IMAGES):
        block = np.stack([found.pop(key) for key in keys[start : start + SHARD_IMAGES]])
        vectors[start : start + len(block)] = unit_length(block)
    return vectors
