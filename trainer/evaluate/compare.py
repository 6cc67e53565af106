"""How similar two images are: by the trained head and by frozen CLIP, with a caption of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from db.images import UnreadableImage, decode_image
from trainer.calibration.words import pair_words
from trainer.data.embeddings import unit_length
from trainer.errors import BadImageFile
from trainer.heads.projection import project
from trainer.spaces.saved_spaces import check_spaces, space_slices
from trainer.spaces.side_by_side import side_by_side
from trainer.spaces.space_slice import frozen_slice
from workers.backends.protocol import CaptionRequest, ModelSource
from workers.backends.settings import Blip2Settings, read_stored_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL.Image import Image

    from trainer.data.embeddings import Embedder
    from trainer.model_folder import TrainedModel
    from trainer.spaces.side_by_side import SpacesSideBySide
    from workers.backends.protocol import CaptionResult


class ImageCaptioner(Protocol):
    """Describes images in a sentence each."""

    def run(self, batch: Sequence[CaptionRequest], settings: Blip2Settings) -> Sequence[CaptionResult]:
        """One caption for each image, in order."""
        ...


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Cosines from -1 to 1; captions are None without a captioner, the last three without a calibration."""

    cosine: float
    #: By frozen CLIP; by the model's first space alone, where CLIP is not among its spaces.
    clip_cosine: float
    captions: tuple[str | None, str | None]
    #: That they are an original and its repaint, if one pair in two is.
    probability: float | None = None
    #: 95 %, by bootstrap over the artists of the calibration.
    interval: tuple[float, float] | None = None
    #: What the probability says.
    words: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The contract of `paragone compare --json`."""
        return {
            "cosine": self.cosine,
            "clip_cosine": self.clip_cosine,
            "captions": list(self.captions),
            "probability": self.probability,
            "interval": None if self.interval is None else list(self.interval),
            "words": self.words,
        }


def compare_images(model: TrainedModel, images: tuple[Image, Image], *, embedder: Embedder, captioner: ImageCaptioner | None) -> Comparison:
    """Compare two RGB images; all models are loaded. Raises `EmbedderMismatch` for another CLIP, or other spaces, than its own."""
    check_embedder(model, embedder)
    vectors = model_spaces(model, embedder).embed_images(list(images))
    frozen = unit_length(vectors[:, frozen_slice(space_slices(model.config.embedded_in)).columns])
    one, other = project(model.head, vectors)
    captions: tuple[str | None, str | None] = (None, None)
    if captioner is not None:
        stored = model.config.captioner.settings if model.config.captioner is not None else {}
        results = captioner.run([CaptionRequest(image=image) for image in images], read_stored_settings(Blip2Settings, stored))
        captions = (results[0].text, results[1].text)
    compared = Comparison(cosine=float(one @ other), clip_cosine=float(frozen[0] @ frozen[1]), captions=captions)
    if model.calibration is None:
        return compared
    probability, interval = model.calibration.pairs.probability(compared.cosine)
    return replace(compared, probability=probability, interval=interval, words=pair_words(probability, interval))


def check_embedder(model: TrainedModel, embedder: Embedder) -> None:
    """A head understands the vectors of its own CLIP, or its own spaces, only; raises `EmbedderMismatch`."""
    check_spaces(model.config.embedded_in, model_spaces(model, embedder), model.directory)


def model_spaces(model: TrainedModel, embedder: Embedder) -> SpacesSideBySide:
    """The embedder as spaces: one that is none of spaces is taken for the model's CLIP."""
    clip = model.config.clip
    return side_by_side(embedder, ModelSource(location=clip.location, revision=clip.revision, dtype=clip.dtype))


def open_image(path: Path) -> Image:
    """An image file as upright RGB; raises `BadImageFile`."""
    try:
        return decode_image(path.read_bytes()).image
    except OSError as error:
        raise BadImageFile(f"{path} cannot be read: {error.strerror}") from None
    except UnreadableImage as error:
        raise BadImageFile(f"{path} is not an image that can be read: {error}") from None
