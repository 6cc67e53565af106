"""The spaces that a trained model needs, as its folder names them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_serializer

from trainer.data.embedding_cache import EmbeddingCache
from trainer.errors import EmbedderMismatch, UnknownComponent
from trainer.local_models import portable_location
from trainer.model_sources import SavedModelSource, saved_clip
from trainer.spaces.registry import new_space
from trainer.spaces.side_by_side import SpacesSideBySide
from trainer.spaces.space_request import SpaceRequest
from trainer.spaces.space_slice import CLIP, SpaceSlice
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from db.store import Store


class SavedSpace(BaseModel):
    """One space of a trained model; its columns follow from the order and the dimensions."""

    model_config = ConfigDict(frozen=True)

    #: As `SpaceRequest.name` gives it.
    name: str
    location: str
    revision: str | None = None
    dtype: str = "float32"
    dimension: int = Field(ge=1)

    @field_serializer("location", when_used="json")
    def _without_path(self, location: str) -> str:
        return portable_location(location, self.revision)


def saved_spaces(slices: Sequence[SpaceSlice]) -> tuple[SavedSpace, ...]:
    """What a model folder keeps of the spaces of a data set."""
    return tuple(
        SavedSpace(name=one.name, location=one.source, revision=one.revision, dtype=one.dtype, dimension=one.dimension) for one in slices
    )


def space_slices(saved: Sequence[SavedSpace]) -> tuple[SpaceSlice, ...]:
    """The columns of each saved space."""
    slices: list[SpaceSlice] = []
    for one in saved:
        start = slices[-1].stop if slices else 0
        slices.append(
            SpaceSlice(
                name=one.name, source=one.location, revision=one.revision or "", dtype=one.dtype, start=start, stop=start + one.dimension
            )
        )
    return tuple(slices)


def open_saved_spaces(saved: Sequence[SavedSpace], models: Path | None, device: str) -> SpacesSideBySide:
    """The spaces of a trained model, not loaded yet; `models` is a local models directory instead of the places that its folder names.

    Raises:
        UnknownComponent: a kind of space is not installed here.
    """
    return SpacesSideBySide([new_space(_request(one), _source(one, models), device, name=one.name) for one in saved])


def cached_vectors(store: Store, saved: Sequence[SavedSpace], keys: Sequence[str]) -> npt.NDArray[np.float32] | None:
    """The vectors kept in the store under these keys, (n, dimension) as the matrix of a data set has them; no model is loaded.

    None if one is missing there, or a kind of space is not installed here.
    """
    try:
        spaces = [new_space(_request(one), _source(one, None), "cpu", name=one.name) for one in saved]
    except UnknownComponent:
        return None
    parts = []
    for one, space in zip(saved, spaces, strict=True):
        cached = EmbeddingCache(store, replace(space.kept_under, revision=one.revision or "")).read(set(keys))
        if len(cached) < len(set(keys)):
            return None
        parts.append(space.scale(np.stack([cached[key] for key in keys])))
    return np.concatenate(parts, axis=1)


def check_spaces(saved: Sequence[SavedSpace], found: SpacesSideBySide, whose: Path) -> None:
    """A head understands the vectors of its own models only; raises `EmbedderMismatch` for the first that differs."""
    names = [one.name for one in saved], [space.name for space in found.spaces]
    if names[0] != names[1]:
        raise EmbedderMismatch(f"{whose} was trained on the spaces {', '.join(names[0])}, those given are {', '.join(names[1])}")
    for one, space in zip(saved, found.spaces, strict=True):
        if one.revision != space.revision:
            called = "CLIP" if one.name == CLIP else one.name
            raise EmbedderMismatch(
                f"{whose} was trained on {called} {one.location} at {one.revision}, the one loaded is {space.revision}: "
                "name the right one with --models"
            )


def _request(saved: SavedSpace) -> SpaceRequest:
    return SpaceRequest.parse(saved.name)


def _source(saved: SavedSpace, models: Path | None) -> ModelSource:
    if saved.name == CLIP:
        return saved_clip(SavedModelSource(location=saved.location, revision=saved.revision, dtype=saved.dtype), models)
    local = (saved.revision or "").startswith("sha256:")
    if local and models is not None and (folder := models / Path(saved.location).name).is_dir():
        return ModelSource(location=str(folder), dtype=saved.dtype)
    return ModelSource(location=saved.location, revision=None if local else saved.revision, dtype=saved.dtype)
