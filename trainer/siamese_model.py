"""A trained model ready to be used from Python: its head, and the CLIP and captioner that it was trained beside."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageOps

from db.images.colour import to_rgb
from trainer.comparison import Comparison, check_embedder, open_picture
from trainer.embeddings import unit_length
from trainer.errors import PretrainedModelUnavailable
from trainer.evaluation import project
from trainer.sources import best_device, saved_captioner, saved_clip
from workers.backends.blip2 import Blip2Captioner
from workers.backends.clip import ClipEmbedder
from workers.backends.errors import ModelUnavailable
from workers.backends.protocol import CaptionRequest
from workers.backends.settings import Blip2Settings, read_stored_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image

    from trainer.model_folder import ModelConfig, TrainedModel

#: Images that go through CLIP at once.
_BATCH = 64


class SiameseModel:
    """Compares images by a trained head. CLIP is loaded when it is first needed and kept; the captioner likewise, if it is asked."""

    def __init__(self, model: TrainedModel, *, models: Path | None = None, device: str | None = None) -> None:
        """`models` is a local models directory instead of the places that the model's folder names; `device` defaults to a GPU."""
        self._model = model
        self._models = models
        self._device = device or best_device()

    @property
    def directory(self) -> Path:
        """Its folder."""
        return self._model.directory

    @property
    def config(self) -> ModelConfig:
        """What the folder says of it: campaign, CLIP, captioner, training, triplets and figures."""
        return self._model.config

    def embed(self, images: Iterable[str | Path | Image]) -> npt.NDArray[np.float32]:
        """Unit vectors of the head, float32 of shape (N, `config.training.out`): their products are the cosines.

        Raises:
            BadPicture: a file is no image that can be read.
            PretrainedModelUnavailable, OtherEmbedder: its CLIP cannot be loaded, or is another than it was trained on.
        """
        return project(self._model.head, self._clip_vectors([_rgb(image) for image in images]))

    def compare(self, image_a: str | Path | Image, image_b: str | Path | Image, *, captions: bool = False) -> Comparison:
        """How alike two images are: the cosine by the head, and by frozen CLIP beside it; with `captions` also a sentence on each.

        Raises what `embed` raises.
        """
        images = [_rgb(image_a), _rgb(image_b)]
        vectors = self._clip_vectors(images)
        one, other = project(self._model.head, vectors)
        sentences = self._captions(images) if captions else (None, None)
        return Comparison(cosine=float(one @ other), clip_cosine=float(vectors[0] @ vectors[1]), captions=sentences)

    def _clip_vectors(self, images: list[Image]) -> npt.NDArray[np.float32]:
        import numpy as np

        batches = [self._clip.embed_images(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
        return unit_length(np.concatenate(batches) if batches else self._clip.embed_images([]))

    def _captions(self, images: list[Image]) -> tuple[str | None, str | None]:
        if self._captioner is None:
            return None, None
        stored = self.config.captioner.settings if self.config.captioner is not None else {}
        settings = read_stored_settings(Blip2Settings, stored)
        first, second = self._captioner.run([CaptionRequest(image=image) for image in images], settings)
        return first.text, second.text

    @cached_property
    def _clip(self) -> ClipEmbedder:
        clip = ClipEmbedder(model=saved_clip(self.config.clip, self._models), device=self._device)
        with _loading():
            clip.load()
        check_embedder(self._model, clip)
        return clip

    @cached_property
    def _captioner(self) -> Blip2Captioner | None:
        source = saved_captioner(self.config.captioner, self._models)
        if source is None:
            return None
        captioner = Blip2Captioner(model=source, device=self._device)
        with _loading():
            captioner.load()
        return captioner


def _rgb(image: str | Path | Image) -> Image:
    """A file or an image in memory, as upright RGB."""
    if isinstance(image, str | Path):
        return open_picture(Path(image))
    return to_rgb(ImageOps.exif_transpose(image))


@contextmanager
def _loading() -> Iterator[None]:
    try:
        yield
    except ModelUnavailable as error:
        raise PretrainedModelUnavailable(str(error)) from error
