"""A trained model as the one module of a `SentenceTransformer`: images in, the head's unit vectors out.

    SentenceTransformer(modules=[SiameseImageModule.from_pretrained("OWNER/NAME")]).encode([image])

It computes what `SiameseModel.embed` computes; it encodes and is not trained further.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from sentence_transformers.base.modules import InputModule

from trainer.siamese_model import SiameseModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from PIL.Image import Image

_IMAGES = "images"


class SiameseImageModule(InputModule):  # type: ignore[misc]  # its types are not followed
    """Files or PIL images to `sentence_embedding`, (N, out), each row of length 1."""

    def __init__(self, model: SiameseModel) -> None:
        super().__init__()
        self.model = model

    @classmethod
    def from_pretrained(cls, source: str | Path, **options: Any) -> Self:
        """What `SiameseModel.from_pretrained` loads, with the same options; raises what it raises."""
        return cls(SiameseModel.from_pretrained(source, **options))

    @classmethod
    def load(cls, model_name_or_path: str, *, revision: str | None = None, **_others: Any) -> Self:
        """Called by sentence-transformers for a folder with `modules.json`."""
        return cls.from_pretrained(model_name_or_path, revision=revision)

    @property
    def modalities(self) -> list[Any]:
        """It sees images alone."""
        return ["image"]

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return self.model.out

    def preprocess(self, inputs: Sequence[str | Path | Image], prompt: str | None = None, **_others: Any) -> dict[str, Any]:  # noqa: ARG002
        """Leave the images as they are: the model's own preparation is part of `forward`."""
        return {_IMAGES: list(inputs)}

    def forward(self, features: dict[str, Any], **_others: Any) -> dict[str, Any]:
        """Add `sentence_embedding`."""
        return {**features, "sentence_embedding": torch.from_numpy(self.model.embed(features[_IMAGES]))}

    def save(self, output_path: str, *_others: Any, **_more: Any) -> None:
        """Write the model folder."""
        self.model.save_pretrained(Path(output_path))
