"""From the parameters of a batch to where its models come from on this host."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from db.models_directory import is_local, local_model_path, resolve_models_directory
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db.jobs.batch_keys import Parameters
    from workers.backends.settings.base import CountedBy


def model_source(parameters: Parameters, *, models: Path | None, frozen: Callable[[], str | None]) -> ModelSource:
    """Where the model of these parameters comes from.

    Args:
        parameters: the batch's.
        models: this host's directory of local models (PARAGONE_MODELS); None for that of the campaign.
        frozen: gives the commit that the campaign began with, None before the first load; not asked for local models.

    Raises:
        BadConfiguration: the directory of local models is not there.
    """
    if is_local(parameters.model):
        directory = models or resolve_models_directory(parameters.models_directory)
        return ModelSource(location=str(local_model_path(parameters.model, directory)), dtype=parameters.dtype)
    if not parameters.model:
        return ModelSource(location="", dtype=parameters.dtype)
    return ModelSource(location=parameters.model, revision=frozen() or parameters.revision, dtype=parameters.dtype)


def tokenizer_view(parameters: Parameters, counted_by: CountedBy) -> Parameters:
    """The generator whose tokenizer a prompt writer counts by; a view of its own, as it loads other files than the generator does."""
    view = f"{parameters.backend}/tokenizer"
    return replace(parameters, backend=view, model=counted_by.model, revision=counted_by.revision or "main", dtype="auto")
