"""The kinds of space that are installed, and how the spaces that somebody names are built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.errors import UnknownComponent
from trainer.registry import ComponentRegistry
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.spaces.space import ModelPlaces, Space
    from trainer.spaces.space_request import SpaceRequest

SPACES: ComponentRegistry[Space] = ComponentRegistry(group="paragone.spaces", kind="space")


def new_spaces(requests: Sequence[SpaceRequest], places: ModelPlaces, device: str) -> list[Space]:
    """The spaces in the order in which they are named, not loaded yet.

    Raises:
        UnknownComponent: a kind is not installed, or does not know its option.
        PretrainedModelUnavailable: a space needs a model that nobody named.
    """
    return [_new_space(request, places, device) for request in requests]


def new_space(request: SpaceRequest, source: ModelSource, device: str, *, name: str | None = None) -> Space:
    """A space over this model, under the request's name or another one; raises `UnknownComponent`."""
    try:
        return SPACES.load(request.kind)(name=name or request.name, source=source, device=device, option=request.option)
    except ValueError as error:
        raise UnknownComponent(str(error)) from None


def _new_space(request: SpaceRequest, places: ModelPlaces, device: str) -> Space:
    if request.model is None:
        return new_space(request, SPACES.load(request.kind).default_source(places), device)
    return new_space(request, ModelSource(location=request.model, revision=request.revision, dtype="float32"), device)
