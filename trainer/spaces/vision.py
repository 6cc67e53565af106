"""Any vision tower of Hugging Face: `vision:facebook/dinov2-small`, `vision:google/siglip2-base-patch16-224#mean`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from trainer.errors import PretrainedModelUnavailable
from trainer.spaces.space import Space
from workers.backends.vision import Pooling, VisionEmbedder

if TYPE_CHECKING:
    from trainer.spaces.space import ModelPlaces
    from workers.backends.protocol import ModelSource


class VisionSpace(Space):
    """`vision:MODEL`, pooled as the model does it; `#cls` or `#mean` for the CLS token or the mean of the patches. Of unit length."""

    def __init__(self, *, name: str, source: ModelSource, device: str, option: str = "") -> None:
        super().__init__(name=name, source=source, device=device, option=option)
        try:
            self.pooling = Pooling(option or Pooling.POOLED)
        except ValueError:
            raise ValueError(f"--space {name}: no pooling {option!r}: choose {', '.join(Pooling)}") from None

    @classmethod
    def default_source(cls, places: ModelPlaces) -> ModelSource:  # noqa: ARG003  # no campaign names one
        """There is none: raises `PretrainedModelUnavailable`."""
        raise PretrainedModelUnavailable("--space vision: name a model, such as vision:facebook/dinov2-small")

    @property
    def form(self) -> str:
        """The same model pooled in another way gives other vectors."""
        return f"vision-{self.pooling}"

    @cached_property
    def embedder(self) -> VisionEmbedder:
        """The tower."""
        return VisionEmbedder(model=self.source, device=self._device, pooling=self.pooling)
