"""CLIP's image vectors, of unit length: what is shown, in which style."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from trainer.model_sources import clip_source
from trainer.spaces.space import Space
from workers.backends.clip import ClipEmbedder

if TYPE_CHECKING:
    from trainer.spaces.space import ModelPlaces
    from workers.backends.protocol import ModelSource


class ClipSpace(Space):
    """`clip`: the projected image features, kept in the same shards that `paragone score` reads."""

    def __init__(self, *, name: str, source: ModelSource, device: str, option: str = "") -> None:
        super().__init__(name=name, source=source, device=device, option=option)
        if option:
            raise ValueError(f"--space {name}: clip has no option; for other pooling use vision:{source.location}#{option}")

    @classmethod
    def default_source(cls, places: ModelPlaces) -> ModelSource:
        """What `--clip` says, else that of the local models, else the default of the hub."""
        return clip_source(places.models, places.clip)

    @cached_property
    def embedder(self) -> ClipEmbedder:
        """It embeds texts too."""
        return ClipEmbedder(model=self.source, device=self._device)
