"""A trained model ready to be used from Python: its head, and the models of its spaces and the captioner that it was trained beside."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageOps

from db.images.colour import to_rgb
from trainer.errors import PretrainedModelUnavailable
from trainer.evaluate.compare import Comparison, check_embedder, compare_images, open_image
from trainer.heads.projection import project
from trainer.model_sources import best_device, saved_captioner
from trainer.spaces.saved_spaces import open_saved_spaces
from trainer.spaces.views import embed_views
from workers.backends.blip2 import Blip2Captioner
from workers.backends.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image

    from trainer.model_folder import ModelConfig, TrainedModel
    from trainer.spaces.side_by_side import SpacesSideBySide

#: Images that go through the models of its spaces at once.
_BATCH = 64


class SiameseModel:
    """Compares images by a trained head. The models of its spaces are loaded when first needed and kept; the captioner likewise."""

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
            BadImageFile: a file is no image that can be read.
            PretrainedModelUnavailable, EmbedderMismatch: a model of its spaces cannot be loaded, or is another than it was trained on.
        """
        return project(self._model.head, self._vectors([_rgb(image) for image in images]))

    def embed_views(self, images: Iterable[str | Path | Image], views: str = "mirror") -> npt.NDArray[np.float32]:
        """Unit vectors of the head of every view of each image, (N, V, `config.training.out`), the plain view first.

        A query is as near to another image as its nearest view; a gallery is embedded by `embed`. `views` is a name in
        `trainer.spaces.views.VIEW_SETS`. Raises what `embed` raises, and `UnknownComponent` for other views.
        """
        seen = embed_views(self._spaces, [_rgb(image) for image in images], views)
        return project(self._model.head, seen.reshape(-1, seen.shape[-1])).reshape(*seen.shape[:2], -1)

    def compare(self, image_a: str | Path | Image, image_b: str | Path | Image, *, captions: bool = False) -> Comparison:
        """How alike two images are: the cosine by the head, and by frozen CLIP beside it; with `captions` also a sentence on each.

        Raises what `embed` raises.
        """
        captioner = self._captioner if captions else None
        return compare_images(self._model, (_rgb(image_a), _rgb(image_b)), embedder=self._spaces, captioner=captioner)

    def _vectors(self, images: list[Image]) -> npt.NDArray[np.float32]:
        import numpy as np

        batches = [self._spaces.embed_images(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
        return np.concatenate(batches) if batches else self._spaces.embed_images([])

    @cached_property
    def _spaces(self) -> SpacesSideBySide:
        spaces = open_saved_spaces(self.config.embedded_in, self._models, self._device)
        with _loading():
            spaces.load()
        check_embedder(self._model, spaces)
        return spaces

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
        return open_image(Path(image))
    return to_rgb(ImageOps.exif_transpose(image))


@contextmanager
def _loading() -> Iterator[None]:
    try:
        yield
    except ModelUnavailable as error:
        raise PretrainedModelUnavailable(str(error)) from error
