"""How alike two pictures are: by the trained head, by frozen CLIP, and what the captioner says of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from db.images import UnreadableImage, decode_image
from trainer.embeddings import unit_length
from trainer.errors import BadPicture, OtherEmbedder
from trainer.evaluation import project
from workers.backends.protocol import CaptionRequest
from workers.backends.settings import Blip2Settings, read_stored_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL.Image import Image

    from trainer.embeddings import Embedder
    from trainer.model_folder import TrainedModel
    from workers.backends.protocol import CaptionResult


class Captioner(Protocol):
    """Says what a picture shows."""

    def load(self) -> None:
        """Bring the weights onto the device."""
        ...

    def run(self, batch: Sequence[CaptionRequest], settings: Blip2Settings) -> Sequence[CaptionResult]:
        """One sentence a picture, in order."""
        ...


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Cosines from -1 to 1; captions are None where no captioner was asked."""

    cosine: float
    clip_cosine: float
    captions: tuple[str | None, str | None]

    def as_json(self) -> dict[str, Any]:
        """The contract of `paragone compare --json`."""
        return {"cosine": self.cosine, "clip_cosine": self.clip_cosine, "captions": list(self.captions)}


def compare_pictures(model: TrainedModel, images: tuple[Image, Image], *, embedder: Embedder, captioner: Captioner | None) -> Comparison:
    """Compare two RGB pictures; raises `OtherEmbedder` if the embedder is not the one the model was trained on."""
    embedder.load()
    check_embedder(model, embedder)
    vectors = unit_length(embedder.embed_images(list(images)))
    one, other = project(model.head, vectors)
    captions: tuple[str | None, str | None] = (None, None)
    if captioner is not None:
        captioner.load()
        asked_for = model.config.captioner.settings if model.config.captioner is not None else {}
        said = captioner.run([CaptionRequest(image=image) for image in images], read_stored_settings(Blip2Settings, asked_for))
        captions = (said[0].text, said[1].text)
    return Comparison(cosine=float(one @ other), clip_cosine=float(vectors[0] @ vectors[1]), captions=captions)


def check_embedder(model: TrainedModel, embedder: Embedder) -> None:
    """A head understands the vectors of its own CLIP only; raises `OtherEmbedder`."""
    wanted = model.config.clip
    if embedder.revision != wanted.revision:
        raise OtherEmbedder(
            f"{model.directory} was trained on CLIP {wanted.location} at {wanted.revision}, the one at hand is {embedder.revision}: "
            "name the right one with --models"
        )


def open_picture(path: Path) -> Image:
    """A picture file as upright RGB; raises `BadPicture`."""
    try:
        return decode_image(path.read_bytes()).image
    except OSError as error:
        raise BadPicture(f"{path} cannot be read: {error.strerror}") from None
    except UnreadableImage as error:
        raise BadPicture(f"{path} is no picture that can be read: {error}") from None
