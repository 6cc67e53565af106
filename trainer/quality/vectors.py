"""The campaign's CLIP for scorers: vectors of images through the cache that training reads too, vectors of texts computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from trainer.data.embedding_cache import EmbeddingCache, EmbeddingSpace
from trainer.data.embeddings import Embedder, embed, unit_length
from workers.backends.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from db.store import Store
    from trainer.data.embeddings import Embeddings, ImageReference
    from workers.backends.protocol import ModelSource

#: Texts embedded at once.
_TEXTS = 256


class TextAndImageEmbedder(Embedder, Protocol):
    """Turns texts into vectors of the same space."""

    #: The most tokens of a text that are read, with begin and end.
    text_limit: int

    def embed_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One row for each text, in order, not normalised."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The whole length of each text in tokens, with begin and end."""
        ...

    def unload(self) -> None:
        """Free the device."""
        ...


class ClipVectors:
    """Vectors of unit length in one CLIP's space; the model is loaded at the first `load`."""

    def __init__(
        self, *, embedder: TextAndImageEmbedder, clip: ModelSource, store: Store, on_progress: Callable[[int, int], None] | None = None
    ) -> None:
        self._embedder = embedder
        self._clip = clip
        self._store = store
        self._on_progress = on_progress
        self._cache: EmbeddingCache | None = None

    @property
    def model(self) -> str:
        """Hugging Face id or directory."""
        return self._clip.location

    @property
    def revision(self) -> str:
        """The commit or content hash that was loaded; "" before `load`."""
        return self._embedder.revision

    @property
    def text_limit(self) -> int:
        """The most tokens of a text that are read."""
        return self._embedder.text_limit

    def load(self) -> None:
        """Load the model, once. Raises `ModelUnavailable`."""
        if self._cache is None:
            self._embedder.load()
            space = EmbeddingSpace(model=self._clip.location, revision=self._embedder.revision, dtype=self._clip.dtype)
            self._cache = EmbeddingCache(self._store, space)

    def of_images(self, references: Iterable[ImageReference]) -> Embeddings:
        """Vectors of images, read from the cache or computed and kept there."""
        assert self._cache is not None, "load comes first"
        return embed(references, embedder=self._embedder, cache=self._cache, store=self._store, on_progress=self._on_progress)

    def of_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N, dimension); what is longer than `text_limit` is cut."""
        parts = [self._embed_in_halves(texts[start : start + _TEXTS]) for start in range(0, len(texts), _TEXTS)]
        return unit_length(np.concatenate(parts)) if parts else np.zeros((0, 0), np.float32)

    def count_too_long(self, texts: Sequence[str]) -> int:
        """How many texts are longer than what is read."""
        return sum(tokens > self.text_limit for tokens in self._embedder.count_tokens(texts))

    def unload(self) -> None:
        """Free the device."""
        if self._cache is not None:
            self._embedder.unload()
            self._cache = None

    def _embed_in_halves(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """All at once, or in halves if the device is too small for that."""
        try:
            return self._embedder.embed_texts(texts)
        except OutOfMemory:
            if len(texts) == 1:
                raise
            middle = len(texts) // 2
            return np.concatenate([self._embed_in_halves(texts[:middle]), self._embed_in_halves(texts[middle:])])
