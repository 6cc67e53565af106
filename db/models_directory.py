"""Local directories of models: how they are named, where the pocket models lie, what their `models.json` contains."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from db.errors import BadConfiguration

#: `--models pocket`, PARAGONE_MODELS=pocket, and what a campaign records of such a directory: it lies elsewhere on each host.
POCKET = "pocket"
#: How a campaign names a model that is a folder of its models directory.
LOCAL_PREFIX = "local:"
#: The file that describes a directory's models: which folder serves what, and how they want to be run.
MODELS_FILE = "models.json"


def pocket_directory() -> Path:
    """Where the pocket models are, or would be: data of the package `workers`."""
    return Path(str(files("workers"))).resolve() / POCKET


def resolve_models_directory(named: str) -> Path:
    """The directory on this host that a setting means: a path, or the pocket models; raises `BadConfiguration` where those are missing."""
    if named != POCKET:
        return Path(named).expanduser().resolve()
    directory = pocket_directory()
    if not (directory / MODELS_FILE).is_file():
        raise BadConfiguration("the pocket models are not part of this installation: make tiny ones with `paragone tiny-models DIR`")
    return directory


def is_local(model: str) -> bool:
    """Whether a model is a folder of a models directory rather than a hub id."""
    return model.startswith(LOCAL_PREFIX)


def local_model_path(model: str, directory: Path) -> Path:
    """The folder of a model that is named `local:FOLDER`."""
    return directory / model.removeprefix(LOCAL_PREFIX)


def read_models_facts(directory: Path) -> dict[str, Any]:
    """The contents of the directory's `models.json`; empty if it has none, or none that can be read."""
    try:
        facts = json.loads((directory / MODELS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
