"""Several spaces as one embedder: their vectors side by side, each in the scale of its space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.data.embedding_cache import EmbeddingCache
from trainer.data.embeddings import EmbeddedColumn
from trainer.errors import UnknownComponent
from trainer.spaces.space import Space
from trainer.spaces.space_slice import CLIP, SpaceSlice

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from PIL.Image import Image

    from db.store import Store
    from trainer.data.embeddings import Embedder
    from trainer.spaces.space import ModelPlaces
    from workers.backends.protocol import ModelSource


class SpacesSideBySide:
    """An embedder whose vectors are those of its spaces side by side, in their order; raises `UnknownComponent` if two have one name."""

    def __init__(self, spaces: Sequence[Space]) -> None:
        names = [space.name for space in spaces]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UnknownComponent(f"the space {twice!r} is named twice: name it once")
        if not spaces:
            raise UnknownComponent("no space is named: name one, such as clip")
        self.spaces = tuple(spaces)

    @property
    def revision(self) -> str:
        """The revisions of all spaces, joined by +; for one space its own."""
        return "+".join(space.revision for space in self.spaces)

    @property
    def dimension(self) -> int:
        """Length of a vector: the sum over the spaces."""
        return sum(space.dimension for space in self.spaces)

    @property
    def slices(self) -> tuple[SpaceSlice, ...]:
        """Which columns each space has; known after `load`."""
        stops = np.cumsum([space.dimension for space in self.spaces]).tolist()
        return tuple(
            SpaceSlice(
                name=space.name,
                source=space.source.location,
                revision=space.revision,
                dtype=space.source.dtype,
                start=stop - space.dimension,
                stop=stop,
            )
            for space, stop in zip(self.spaces, stops, strict=True)
        )

    def load(self) -> None:
        """Load all models. Raises `ModelUnavailable` or `OutOfMemory`."""
        for space in self.spaces:
            space.load()

    def embed_images(self, images: Sequence[Image]) -> npt.NDArray[np.float32]:
        """RGB images to (n, `dimension`), as the matrix of a data set has them."""
        return np.concatenate([space.scale(space.embed_images(images)) for space in self.spaces], axis=1)

    def cached_columns(self, store: Store) -> list[EmbeddedColumn]:
        """Each loaded space with its cache in the store."""
        several = len(self.spaces) > 1
        return [
            EmbeddedColumn(
                embedder=space, cache=EmbeddingCache(store, space.kept_under), scale=space.scale, name=space.name if several else ""
            )
            for space in self.spaces
        ]

    def unload(self) -> None:
        """Free the device."""
        for space in self.spaces:
            space.unload()


class GivenSpace(Space):
    """An embedder that the caller has, as a space; not registered."""

    def __init__(self, *, name: str, source: ModelSource, embedder: Embedder) -> None:
        super().__init__(name=name, source=source, device="")
        self._embedder = embedder

    @classmethod
    def default_source(cls, places: ModelPlaces) -> ModelSource:
        """It has no model of its own: not called."""
        raise NotImplementedError

    @property
    def embedder(self) -> Embedder:
        """The one that was given."""
        return self._embedder


def side_by_side(embedder: Embedder, clip: ModelSource) -> SpacesSideBySide:
    """The spaces of an embedder; one that is none of spaces is the space `clip` of that source."""
    if isinstance(embedder, SpacesSideBySide):
        return embedder
    return SpacesSideBySide([GivenSpace(name=CLIP, source=clip, embedder=embedder)])
