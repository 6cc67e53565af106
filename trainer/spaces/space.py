"""What a space is: one way of turning pictures into vectors, by one model at one revision."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from trainer.data.embedding_cache import EmbeddingSpace
from trainer.data.embeddings import unit_length

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image

    from db.campaigns import CampaignConfig
    from trainer.data.embeddings import Embedder
    from workers.backends.protocol import ModelSource


@dataclass(frozen=True, kw_only=True)
class ModelPlaces:
    """Where the models of spaces come from that nobody named."""

    #: The campaign whose pictures are embedded.
    config: CampaignConfig
    #: Local models, instead of those of the hub.
    models: Path | None = None
    #: What `--clip` says.
    clip: str | None = None
    #: The commit that the campaign uses of a model, by backend and id; None if it is not known.
    frozen: Callable[[str, str], str | None] = lambda _backend, _model: None


class Space(ABC):
    """Base class of spaces; registered under its kind in the entry point group `paragone.spaces`.

    A space is built as `Kind(name=..., source=..., device=..., option=...)`; the model is loaded by `load`. Building one raises
    `ValueError` if the option is none of the kind's.
    """

    #: In which numbers vectors are kept in the store.
    kept_as: ClassVar[Literal["float32", "float16"]] = "float32"

    def __init__(self, *, name: str, source: ModelSource, device: str, option: str = "") -> None:
        self.name = name
        self.source = source
        self.option = option
        self._device = device

    @classmethod
    @abstractmethod
    def default_source(cls, places: ModelPlaces) -> ModelSource:
        """The model where none is named. Raises `PretrainedModelUnavailable` if one has to be named."""

    @property
    @abstractmethod
    def embedder(self) -> Embedder:
        """What computes the vectors, the same object each time."""

    @property
    def form(self) -> str:
        """What is taken of the model: other forms of one model are kept apart in the store. "" for CLIP's image vectors."""
        return ""

    @property
    def revision(self) -> str:
        """The commit or content hash that was loaded; "" before `load`."""
        return self.embedder.revision

    @property
    def dimension(self) -> int:
        """Length of a vector; 0 before `load`."""
        return self.embedder.dimension

    @property
    def kept_under(self) -> EmbeddingSpace:
        """What its vectors are kept under in the store."""
        return EmbeddingSpace(
            model=self.source.location, revision=self.revision, dtype=self.source.dtype, form=self.form, kept_as=self.kept_as
        )

    def load(self) -> None:
        """Bring the model onto the device. Raises `ModelUnavailable` or `OutOfMemory`."""
        self.embedder.load()

    def embed_images(self, images: Sequence[Image]) -> npt.NDArray[np.float32]:
        """RGB images to (n, `dimension`), as the model gives them."""
        return self.embedder.embed_images(list(images))

    def scale(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """What `embed_images` gave, (n, `dimension`), as it stands in the matrix: of unit length, unless the kind says otherwise."""
        return unit_length(vectors)

    def unload(self) -> None:
        """Free the device, if the embedder holds any."""
        unload = getattr(self.embedder, "unload", None)
        if unload is not None:
            unload()
