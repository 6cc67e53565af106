"""Where CLIP and the captioner come from: what the command says, else the local models, else the hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from db.models_directory import resolve_models_directory
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from db.campaigns import CampaignConfig

DEFAULT_CLIP = "openai/clip-vit-base-patch32"

#: Folders of a local models directory.
CLIP_FOLDER, CAPTIONER_FOLDER = "clip", "captioner"

#: How a campaign writes a folder of its models directory.
_LOCAL = "local:"


class Source(BaseModel):
    """A model that a trained head needs beside it, as its folder names it."""

    model_config = ConfigDict(frozen=True)

    location: str
    revision: str | None = None
    dtype: str = "auto"
    #: What its calls were told, as the campaign had it.
    settings: dict[str, Any] = {}


def models_directory(config: CampaignConfig | None, stand_in: Path | None) -> Path | None:
    """The local models directory: the host's own stands in for the one a campaign names."""
    if stand_in is not None:
        return stand_in
    return resolve_models_directory(config.models_directory) if config is not None and config.models_directory else None


def clip_source(directory: Path | None, chosen: str | None = None) -> ModelSource:
    """CLIP, always in float32: half precision moves vectors with the device, and the cache is shared by hosts."""
    if chosen is not None:
        return ModelSource(location=chosen, dtype="float32")
    location = DEFAULT_CLIP if directory is None else str(directory / CLIP_FOLDER)
    return ModelSource(location=location, dtype="float32")


def captioner_source(config: CampaignConfig, directory: Path | None, frozen: str | None = None) -> Source | None:
    """The campaign's captioner, at the commit that was frozen if one was; None if it is not a BLIP-2."""
    caption = config.caption
    if caption.backend != "blip2":
        return None
    if caption.model.startswith(_LOCAL):
        folder = caption.model.removeprefix(_LOCAL)
        return Source(location=str((directory or Path()) / folder), dtype=caption.dtype, settings=caption.settings)
    return Source(location=caption.model, revision=frozen or caption.revision, dtype=caption.dtype, settings=caption.settings)


def are_untrained(directory: Path | None) -> bool:
    """Whether the directory's `models.json` says that its models have random weights."""
    if directory is None:
        return False
    try:
        facts = json.loads((directory / "models.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return False
    return isinstance(facts, dict) and facts.get("trained") is False


def best_device() -> str:
    """The GPU if this process sees one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def saved_clip(source: Source, directory: Path | None) -> ModelSource:
    """The CLIP that a trained model names, or the one in a local models directory given instead."""
    if directory is not None:
        return ModelSource(location=str(directory / CLIP_FOLDER), dtype=source.dtype)
    return _saved(source)


def saved_captioner(source: Source | None, directory: Path | None) -> ModelSource | None:
    """The captioner that a trained model names, or the one in a local models directory given instead."""
    if directory is not None and (directory / CAPTIONER_FOLDER).is_dir():
        return ModelSource(location=str(directory / CAPTIONER_FOLDER))
    return None if source is None else _saved(source)


def _saved(source: Source) -> ModelSource:
    """A local directory's content hash is no revision to ask the hub for."""
    revision = None if (source.revision or "").startswith("sha256:") else source.revision
    return ModelSource(location=source.location, revision=revision, dtype=source.dtype)
