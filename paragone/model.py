"""A trained model from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from db.models_directory import resolve_models_directory
from paragone.errors import MissingExtra
from producer.cli import TRAIN_PACKAGES

if TYPE_CHECKING:
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
    try:
        from trainer.model_folder import load_model as read_model_folder
        from trainer.siamese_model import SiameseModel
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in TRAIN_PACKAGES:
            raise
        raise MissingExtra(f"load_model needs {error.name}: pip install 'paragone[train]'") from None
    local = None if models is None else resolve_models_directory(str(models))
    return SiameseModel(read_model_folder(Path(directory)), models=local, device=device)
