"""Which trained model is meant: the one that is named, else the latest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from db.training import finished_runs
from trainer.errors import NoTrainedModel
from trainer.model_folder import CONFIG, load_model

if TYPE_CHECKING:
    from db.runtime import Runtime
    from trainer.model_folder import TrainedModel


def chosen_model(runtime: Runtime, directory: Path | None) -> TrainedModel:
    """The named model, or that of the latest finished run whose folder is on this machine; the database is opened for that alone.

    Raises:
        NoTrainedModel: none is named, and none is finished.
        BadModelFolder: the folder holds no model that can be used.
    """
    if directory is not None:
        return load_model(directory)
    for run in finished_runs(runtime.database):
        if (Path(run.directory) / CONFIG).exists():
            return load_model(Path(run.directory))
    raise NoTrainedModel
