"""Which CLIP and which captioner are used: what the command says, else the local models, else the hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, field_serializer

from db.models_directory import is_local, local_model_path, read_models_facts, resolve_models_directory
from trainer.errors import PretrainedModelUnavailable
from trainer.local_models import folder_name, portable_location
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from db.campaigns import CampaignConfig

DEFAULT_CLIP = "openai/clip-vit-base-patch32"

#: Folders of a local models directory.
CLIP_FOLDER, CAPTIONER_FOLDER = "clip", "captioner"


class SavedModelSource(BaseModel):
    """A model that a trained head needs beside it, as the head's folder names it."""

    model_config = ConfigDict(frozen=True)

    #: Hugging Face id or directory; a directory is written as `local:FOLDER` or `pocket:FOLDER`.
    location: str
    #: Commit of the hub, or content hash of a directory.
    revision: str | None = None
    dtype: str = "auto"
    #: The campaign's settings for it.
    settings: dict[str, Any] = {}

    @field_serializer("location", when_used="json")
    def _without_path(self, location: str) -> str:
        return portable_location(location, self.revision)


def models_directory(config: CampaignConfig | None, replacement: Path | None) -> Path | None:
    """The local models directory: this host's own replaces the one that a campaign names."""
    if replacement is not None:
        return replacement
    return resolve_models_directory(config.models_directory) if config is not None and config.models_directory else None


def clip_source(directory: Path | None, chosen: str | None = None) -> ModelSource:
    """CLIP, always in float32: half precision moves vectors with the device, and the cache is shared by hosts."""
    if chosen is not None:
        return ModelSource(location=chosen, dtype="float32")
    location = DEFAULT_CLIP if directory is None else str(directory / CLIP_FOLDER)
    return ModelSource(location=location, dtype="float32")


def captioner_source(config: CampaignConfig, directory: Path | None, frozen: str | None = None) -> SavedModelSource | None:
    """The campaign's captioner, at the commit that was frozen if one was; None if it is not a BLIP-2."""
    caption = config.caption
    if caption.backend != "blip2":
        return None
    if is_local(caption.model):
        location = str(local_model_path(caption.model, directory or Path()))
        return SavedModelSource(location=location, revision=frozen, dtype=caption.dtype, settings=caption.settings)
    return SavedModelSource(location=caption.model, revision=frozen or caption.revision, dtype=caption.dtype, settings=caption.settings)


def are_untrained(directory: Path | None) -> bool:
    """Whether the directory's `models.json` says that its models have random weights."""
    return directory is not None and read_models_facts(directory).get("trained") is False


def best_device() -> str:
    """The GPU if this process sees one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def saved_clip(source: SavedModelSource, directory: Path | None) -> ModelSource:
    """The CLIP that a trained model names, or the one in a local models directory given instead.

    Raises:
        PretrainedModelUnavailable: it names a local one, which is not known here, and no directory is given.
    """
    if directory is not None:
        return ModelSource(location=str(_folder(source, directory, CLIP_FOLDER)), dtype=source.dtype)
    return _saved(source)


def saved_captioner(source: SavedModelSource | None, directory: Path | None) -> ModelSource | None:
    """The captioner that a trained model names, or the one in a local models directory given instead.

    None if there is none, also if it names a local one that is not known here: images are compared without a caption then.
    """
    if directory is not None and (directory / CAPTIONER_FOLDER).is_dir():
        return ModelSource(location=str(directory / CAPTIONER_FOLDER))
    return None if source is None or folder_name(source.location) is not None else _saved(source)


def _folder(source: SavedModelSource, directory: Path, usual: str) -> Path:
    """The directory's folder of the name under which the model was trained, else the usual one."""
    name = folder_name(portable_location(source.location, source.revision))
    return directory / (name if name is not None and (directory / name).is_dir() else usual)


def _saved(source: SavedModelSource) -> ModelSource:
    """A local directory's content hash is not a revision that the hub knows."""
    if folder_name(source.location) is not None:
        which = f"{source.location} ({source.revision})" if source.revision else source.location
        raise PretrainedModelUnavailable(
            f"the model was trained beside the local model {which}, which is not known here: "
            "name the directory that holds it with --models (models=... in Python), or PARAGONE_MODELS"
        )
    revision = None if (source.revision or "").startswith("sha256:") else source.revision
    return ModelSource(location=source.location, revision=revision, dtype=source.dtype)
