"""A trained model ready to be used from Python: its head, and the models of its spaces and the captioner that it was trained beside."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageOps

from db.images.colour import to_rgb
from db.models_directory import resolve_models_directory
from trainer.data.embeddings import embed_side_by_side
from trainer.errors import PretrainedModelUnavailable
from trainer.evaluate.compare import Comparison, check_embedder, compare_images, open_image
from trainer.heads.projection import project
from trainer.model_folder import load_model
from trainer.model_sources import best_device, saved_captioner
from trainer.publishing.hub import fetch_model, push_model, write_pretrained
from trainer.search.origin_finder import OriginFinder
from trainer.search.picture_gallery import picture_gallery
from trainer.search.query_files import read_query
from trainer.search.views import QueryViews
from trainer.spaces.saved_spaces import open_saved_spaces
from trainer.spaces.views import embed_views
from workers.backends.blip2 import Blip2Captioner
from workers.backends.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Self

    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image
    from sentence_transformers import SentenceTransformer

    from db.store import Store
    from trainer.calibration.calibration import ModelCalibration
    from trainer.data.embeddings import EmbeddedColumn, Embeddings, ImageReference
    from trainer.model_folder import ModelConfig, TrainedModel
    from trainer.search.origin_finder import OriginSearch
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
        self._columns: dict[Store, list[EmbeddedColumn]] = {}

    @classmethod
    def from_pretrained(
        cls, source: str | Path, *, revision: str | None = None, models: str | Path | None = None, device: str | None = None
    ) -> Self:
        """A model from its folder or from the Hugging Face hub. Its CLIP is fetched when it is first needed.

        Args:
            source: a folder that `paragone train` or `save_pretrained` has made, or an id of the hub, OWNER/NAME.
            revision: a commit, tag or branch of the hub; its main branch, if not given.
            models: a local models directory, or "pocket", whose CLIP and captioner are used; PARAGONE_MODELS, if not given, else those that
                the folder names.
            device: "cuda" or "cpu"; a GPU if there is one, if not given.

        Raises:
            BadModelFolder: the folder holds no model that can be used.
            UnknownComponent: its head is not installed here.
            PretrainedModelUnavailable: the hub has no such model or revision, or is out of reach.
        """
        named = models or os.environ.get("PARAGONE_MODELS")
        local = resolve_models_directory(str(named)) if named else None
        return cls(load_model(fetch_model(source, revision)), models=local, device=device)

    def save_pretrained(self, directory: str | Path) -> None:
        """Write all that another machine needs of it, and no path of this one; an edited card, calibration and audit come along.

        Raises:
            ModelNotPublished: the directory is the model's own.
        """
        write_pretrained(self._model, Path(directory).expanduser())

    def push_to_hub(self, repo: str, *, private: bool = False) -> str:
        """Send what `save_pretrained` writes to the repository OWNER/NAME of the hub, made if it is not there; the commit's address.

        The token comes from HF_TOKEN alone. Name the licence in the folder's README.md first.

        Raises:
            ModelNotPublished: there is no token, or the hub refuses.
        """
        return push_model(self._model, repo, private=private)

    def sentence_transformer(self) -> SentenceTransformer:
        """A `SentenceTransformer` whose `encode` gives the vectors of `embed`; it needs `paragone[sentence]`."""
        from sentence_transformers import SentenceTransformer

        from trainer.publishing.sentence_module import SiameseImageModule

        return SentenceTransformer(modules=[SiameseImageModule(self)], device="cpu")

    @property
    def directory(self) -> Path:
        """Its folder."""
        return self._model.directory

    @property
    def config(self) -> ModelConfig:
        """What the folder says of it: campaign, CLIP, captioner, training, triplets and figures."""
        return self._model.config

    @property
    def calibration(self) -> ModelCalibration | None:
        """How its cosines become probabilities; None in folders from before calibration, and where too few pairs were left for it."""
        return self._model.calibration

    @cached_property
    def out(self) -> int:
        """Length of the vectors that `embed` gives."""
        import numpy as np

        return int(project(self._model.head, np.zeros((1, self.config.dimension), np.float32)).shape[1])

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

    def embed_stored(
        self,
        references: Sequence[ImageReference],
        store: Store,
        *,
        read_image: Callable[[str, str | None], bytes] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Embeddings:
        """Unit vectors of the head for stored images; what they are over comes from the embedding cache, or is computed and kept there.

        `on_progress` is called with how many of the missing ones are done, and how many were missing. Raises what `embed` raises.
        """
        if store not in self._columns:
            self._columns[store] = self._spaces.cached_columns(store)
        found = embed_side_by_side(references, self._columns[store], store=store, read_image=read_image, on_progress=on_progress)
        return replace(found, vectors=project(self._model.head, found.vectors)) if found.rows else found

    def similar(
        self, images: Sequence[str | Path | Image], gallery: Sequence[str | Path | Image], *, k: int = 10, views: QueryViews | str = "none"
    ) -> list[OriginSearch]:
        """For each image the `k` pictures of `gallery` most like it, and whether the original that it was made from is among them.

        `views` is "none", "mirror" or "mirror+crops": the similarity is the largest over the views of the image.

        Raises what `embed` raises.
        """
        queries = [read_query(image, number) for number, image in enumerate(images, 1)]
        finder = OriginFinder(self, [picture_gallery(self, gallery)], None if self.calibration is None else self.calibration.search)
        return finder.find(queries, k=k, views=QueryViews(views))

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
