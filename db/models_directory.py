"""The small trained models that ship with the program, found by their name wherever it is installed."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from db.errors import BadConfiguration

#: `--models pocket`, PARAGONE_MODELS=pocket, and what a campaign records of such a directory: it lies elsewhere on each host.
POCKET = "pocket"


def pocket_directory() -> Path:
    """Where the pocket models are, or would be: data of the package `workers`."""
    return Path(str(files("workers"))).resolve() / POCKET


def resolve_models_directory(named: str) -> Path:
    """The directory on this host that a setting means: a path, or the pocket models; raises `BadConfiguration` where those are missing."""
    if named != POCKET:
        return Path(named).expanduser().resolve()
    directory = pocket_directory()
    if not (directory / "models.json").is_file():
        raise BadConfiguration("the pocket models are not part of this installation: make tiny ones with `paragone tiny-models DIR`")
    return directory
