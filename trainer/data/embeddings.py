"""Embeddings of originals and repaints in one space or in several side by side: computed once, read from the cache ever after."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from db.results.pairs import read_image_bytes
from trainer.data.image_reading import decoded_batches, without_unreadable
from trainer.data.vector_matrix import keep_rows, new_matrix, release_pages
from workers.backends.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from PIL.Image import Image

    from db.store import Store
    from trainer.data.embedding_cache import EmbeddingCache, Kept

_log = logging.getLogger(__name__)

#: A shard is written after this many images or seconds, whichever comes first: little is lost when a host dies, and a million images
#: make a thousand shards.
SHARD_IMAGES, SHARD_SECONDS = 1024, 20.0


class Embedder(Protocol):
    """Turns images into vectors."""

    @property
    def revision(self) -> str:
        """The commit or content hash that was loaded; known after `load`."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector; known after `load`."""
        ...

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
    #: A name in `trainer.spaces.views.VIEWS`: how that part is seen.
    view: str = "plain"

    @property
    def key(self) -> str:
        """What its vector is cached under: 64 hex digits, the content hash itself where all of the image is embedded as it is."""
        if self.view != "plain":
            return hashlib.sha256(f"{self.content_hash} {self.box} {self.view}".encode()).hexdigest()
        return self.content_hash if self.box is None else hashlib.sha256(f"{self.content_hash} {self.box}".encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """Vectors, one row an image in the order in which the images were given, and why other images have none."""

    #: (n, dimension), of unit length in one space; of several side by side each has the scale of its space. A mapped file beyond
    #: `trainer.data.vector_matrix.IN_MEMORY`: read it by blocks of rows.
    vectors: npt.NDArray[np.float32]
    #: Content hash to row.
    rows: dict[str, int]
    #: Content hash to reason.
    unreadable: dict[str, str] = field(default_factory=dict)
    #: How many vectors were computed now rather than read from the cache.
    computed: int = 0


def unit_length(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows scaled to length 1; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: npt.NDArray[np.float32] = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return scaled


@dataclass(frozen=True, kw_only=True)
class EmbeddedColumn:
    """One space's columns of the matrix: who computes them, where they are kept, and in which scale they stand in the matrix."""

    embedder: Embedder
    cache: EmbeddingCache
    #: (n, dimension) as the embedder gives them to (n, dimension) as the matrix holds them, row by row.
    scale: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]] = unit_length
    #: Stands before a reason why an image has no vector here; "" where there is one space alone.
    name: str = ""


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
    """Vectors of unit length of all images: from the cache where it holds them, else computed and written there.

    An image that cannot be read, or whose bytes are no longer those that were registered, is reported and left out.
    `read_image` gives an image's bytes by content hash and link; from the store or the link, if it is not given.
    `on_progress` is called with how many of the missing images are done, and how many were missing.
    """
    column = EmbeddedColumn(embedder=embedder, cache=cache)
    return embed_side_by_side(images, [column], store=store, read_image=read_image, batch_size=batch_size, on_progress=on_progress)


def embed_side_by_side(
    images: Iterable[ImageReference],
    columns: Sequence[EmbeddedColumn],
    *,
    store: Store,
    read_image: Callable[[str, str | None], bytes] | None = None,
    batch_size: int = 64,
    on_progress: Callable[[int, int], None] | None = None,
    directory: Path | None = None,
) -> Embeddings:
    """The vectors of several loaded spaces side by side; an image that lacks one in any of them is reported and left out.

    The spaces are worked off one after the other. A large matrix lies in a file in `directory`; raises `NoRoomForVectors`.
    The rest is as `embed` has it.
    """
    references = {image.key: image for image in images}
    rows = {key: row for row, key in enumerate(references)}
    matrix = new_matrix(len(rows), sum(column.embedder.dimension for column in columns), directory=directory)
    read = read_image or partial(read_image_bytes, store)
    unreadable: dict[str, str] = {}
    computed = start = 0
    for column in columns:
        stop = start + column.embedder.dimension
        part = _MatrixPart(matrix[:, start:stop], rows, column)
        missing = [reference for key, reference in references.items() if key in part.missing and key not in unreadable]
        computed += part.compute(missing, read, batch_size, unreadable, on_progress)
        start = stop
    kept = np.array([key not in unreadable for key in references], dtype=np.bool_)
    found = (reference.content_hash for key, reference in references.items() if key not in unreadable)
    return Embeddings(
        vectors=keep_rows(matrix, kept),
        rows={content_hash: row for row, content_hash in enumerate(found)},
        unreadable={references[key].content_hash: why for key, why in unreadable.items()},
        computed=computed,
    )


class _MatrixPart:
    """One space's part of the matrix, filled from the cache and then by computing what is missing there."""

    def __init__(self, part: npt.NDArray[np.float32], rows: dict[str, int], column: EmbeddedColumn) -> None:
        self._part = part
        self._rows = rows
        self._column = column
        self.missing = set(rows)
        for keys, vectors in column.cache.shards(rows.keys()):
            if vectors.shape[1] != part.shape[1]:
                _log.warning("embedding shard of another width is ignored", extra={"width": vectors.shape[1], "expected": part.shape[1]})
                continue
            self._put(keys, vectors)

    def compute(
        self,
        missing: Sequence[ImageReference],
        read: Callable[[str, str | None], bytes],
        batch_size: int,
        unreadable: dict[str, str],
        on_progress: Callable[[int, int], None] | None,
    ) -> int:
        """Compute the missing vectors and write them to the cache too; returns how many."""
        shard = _Shard(self._column.cache)
        done, failed = 0, len(unreadable)
        try:
            for batch in decoded_batches(missing, read, batch_size):
                vectors = dict(_vectors(without_unreadable(batch, unreadable), self._column, unreadable))
                shard.add(vectors)
                if vectors:
                    self._put(list(vectors), np.stack(list(vectors.values())))
                shard.write_if_due()
                done += len(batch)
                if on_progress is not None:
                    on_progress(done, len(missing))
        finally:
            shard.write()  # also when interrupted: what was computed is not lost
        return len(missing) - (len(unreadable) - failed)

    def _put(self, keys: Sequence[str], vectors: Kept) -> None:
        # In the numbers in which they are kept, so that what is computed now equals what is read from the cache later.
        kept = vectors.astype(self._column.cache.space.kept_as).astype(np.float32)
        self._part[[self._rows[key] for key in keys]] = self._column.scale(kept)
        self.missing.difference_update(keys)
        release_pages(self._part)


class _Shard:
    """Vectors not yet written to the cache."""

    def __init__(self, cache: EmbeddingCache) -> None:
        self._cache = cache
        self._pending: dict[str, npt.NDArray[np.float32]] = {}
        self._since = time.monotonic()

    def add(self, vectors: dict[str, npt.NDArray[np.float32]]) -> None:
        self._pending |= vectors

    def write_if_due(self) -> None:
        if len(self._pending) >= SHARD_IMAGES or time.monotonic() - self._since >= SHARD_SECONDS:
            self.write()

    def write(self) -> None:
        if self._pending:
            self._cache.write(list(self._pending), np.stack(list(self._pending.values())))
        self._pending = {}
        self._since = time.monotonic()


def _vectors(
    decoded: Sequence[tuple[str, Image]], column: EmbeddedColumn, unreadable: dict[str, str]
) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    if not decoded:
        return
    vectors = _embed_in_halves([image for _, image in decoded], column.embedder)
    for (content_hash, _), vector in zip(decoded, vectors, strict=True):
        if np.isfinite(vector).all():
            yield content_hash, vector
        else:
            unreadable[content_hash] = f"{column.name}: the embedder gave NaN" if column.name else "the embedder gave NaN"


def _embed_in_halves(images: list[Image], embedder: Embedder) -> npt.NDArray[np.float32]:
    """All at once, or in halves if the device is too small for that."""
    try:
        return embedder.embed_images(images)
    except OutOfMemory:
        if len(images) == 1:
            raise
        middle = len(images) // 2
        return np.concatenate([_embed_in_halves(images[:middle], embedder), _embed_in_halves(images[middle:], embedder)])
