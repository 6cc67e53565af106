"""The latents of the generator's own autoencoder: a picture's composition, which its repaints keep."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from db.models_directory import is_local, local_model_path
from trainer.errors import PretrainedModelUnavailable
from trainer.spaces.space import Space
from workers.backends.errors import BadRequest
from workers.backends.latents import LATENT_SIDE, LatentEmbedder
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.spaces.space import ModelPlaces

#: Backends of levels whose models hold an `AutoencoderKL` in the folder `vae`.
_WITH_AUTOENCODER = frozenset({"sdxl"})


class LatentSpace(Space):
    """`latents`, or `latents#16` for latents averaged to 16 x 16. They are neither centred nor normalised: a head does that.

    Kept as float16, which rounds each number to 11 bits: it is off by at most 1 part in 2,048, and so is the length of what a vector is off
    by against the vector's own length (0.05 %).
    """

    kept_as: ClassVar[Literal["float32", "float16"]] = "float16"

    def __init__(self, *, name: str, source: ModelSource, device: str, option: str = "") -> None:
        super().__init__(name=name, source=source, device=device, option=option)
        try:
            self.side = int(option or LATENT_SIDE)
            self._embedder = LatentEmbedder(model=source, device=device, side=self.side)
        except (ValueError, BadRequest):
            raise ValueError(f"--space {name}: {option!r} latents a side are not possible: choose a divisor of {LATENT_SIDE}") from None

    @classmethod
    def default_source(cls, places: ModelPlaces) -> ModelSource:
        """The generator of most of the campaign's levels, at the commit that the campaign uses."""
        levels = [level for level in places.config.level.values() if level.backend in _WITH_AUTOENCODER]
        if not levels:
            raise PretrainedModelUnavailable(
                "--space latents: no level of the campaign repaints with SDXL, so no autoencoder is known: name a model, such as "
                "latents:stabilityai/stable-diffusion-xl-refiner-1.0"
            )
        (model, backend, revision), _ = Counter((level.model, level.backend, level.revision) for level in levels).most_common(1)[0]
        if is_local(model):
            return ModelSource(location=str(local_model_path(model, places.models or Path())), dtype="float32")
        return ModelSource(location=model, revision=places.frozen(backend, model) or revision, dtype="float32")

    @property
    def form(self) -> str:
        """Latents of 16 a side are other vectors than those of 32."""
        return f"latents-{self.side}"

    @property
    def embedder(self) -> LatentEmbedder:
        """The autoencoder."""
        return self._embedder

    def scale(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Divided by sqrt(`dimension`), the same for all pictures: latents of deviation 1 become vectors about as long as CLIP's, 1."""
        scaled: npt.NDArray[np.float32] = vectors / np.float32(np.sqrt(vectors.shape[1]))
        return scaled
