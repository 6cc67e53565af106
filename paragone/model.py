"""A trained model from its folder, and the search by one."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from db.models_directory import resolve_models_directory
from paragone.errors import MissingExtra
from producer.cli import TRAIN_PACKAGES
from producer.errors import WrongUse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL.Image import Image

    from db.runtime import Runtime
    from trainer.search.origin_finder import OriginSearch
    from trainer.siamese_model import SiameseModel


def load_model(directory: str | Path, *, models: str | Path | None = None, device: str | None = None) -> SiameseModel:
    """A model that `paragone train` has made, ready to compare and embed images.

    Args:
        directory: the model's folder, such as `paragone-data/training/CAMPAIGN/80-20`.
        models: a local models directory, or "pocket", whose CLIP and captioner are used; those that the folder names, if not given.
        device: "cuda" or "cpu"; a GPU if there is one, if not given.

    Raises:
        MissingExtra: the packages of `paragone[train]` are not installed.
        BadModelFolder: the folder holds no model that can be used.
    """
    with _needing_the_extra("load_model"):
        from trainer.model_folder import load_model as read_model_folder
        from trainer.siamese_model import SiameseModel
    local = None if models is None else resolve_models_directory(str(models))
    return SiameseModel(read_model_folder(Path(directory)), models=local, device=device)


def find_similar(
    runtime: Runtime,
    images: Sequence[str | Path | Image],
    *,
    model: str | Path | None,
    campaign: str | None,
    k: int,
    over: str,
    views: str,
) -> list[OriginSearch]:
    """What `Project.similar` returns; raises what it raises."""
    with _needing_the_extra("similar"):
        from trainer.search.campaign_search import SearchOptions, open_campaign_search
        from trainer.search.gallery import SearchedPictures
        from trainer.search.views import QueryViews
    for name, given, known in (("over", over, SearchedPictures), ("views", views, QueryViews)):
        if given not in set(known):
            raise WrongUse(f"{name} is {given!r}: it can be {', '.join(known)}")
    if k < 1:
        raise WrongUse(f"k is {k}: at least 1 picture can be looked for")
    folder = None if model is None else Path(model)
    options = SearchOptions(model=folder, campaign=campaign, k=k, pictures=SearchedPictures(over), views=QueryViews(views))
    found = []
    for answer in open_campaign_search(runtime, options).answers(images):
        if answer.failure is not None:
            raise answer.failure
        if answer.search is not None:
            found.append(answer.search)
    return found


@contextmanager
def _needing_the_extra(what: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in TRAIN_PACKAGES:
            raise
        raise MissingExtra(f"{what} needs {error.name}: pip install 'paragone[train]'") from None
