"""Local models in a model's folder: by name and content hash in `config.json`, by path only in memory and in a file of this machine.

A path means nothing on another machine and tells of this one, so `config.json` says `local:FOLDER` or `pocket:FOLDER`. Where this machine
keeps such a folder stands in `local_models.json` beside it, which is never published.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.models_directory import LOCAL_PREFIX, pocket_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: A folder of the pocket models, which lie elsewhere on each host.
POCKET_PREFIX = "pocket:"
#: What content hashes of local folders begin with; commits of the hub do not.
_CONTENT_HASH = "sha256:"

#: Name and hash of each local model to its path on this machine.
LOCAL_MODELS = "local_models.json"


def portable_location(location: str, revision: str | None) -> str:
    """What is written of a model's location: a hub id as it is, a path as `pocket:FOLDER` or `local:FOLDER`."""
    if not _is_path(location, revision):
        return location
    path = Path(os.path.abspath(Path(location).expanduser()))  # noqa: PTH100  # a link keeps its name
    return (POCKET_PREFIX if path.parent.resolve() == pocket_directory() else LOCAL_PREFIX) + path.name


def folder_name(location: str) -> str | None:
    """The folder that `local:FOLDER` or `pocket:FOLDER` names; None for anything else."""
    for prefix in (LOCAL_PREFIX, POCKET_PREFIX):
        if location.startswith(prefix):
            return location.removeprefix(prefix)
    return None


def write_local_models(directory: Path, config: Mapping[str, Any]) -> None:
    """Note the paths of a configuration (as Python values, locations as they are in memory) in the model's folder."""
    paths = {}
    for source in _sources(config):
        location, revision = source["location"], source.get("revision")
        portable = portable_location(location, revision)
        if portable != location and portable.startswith(LOCAL_PREFIX):
            paths[_key(portable, revision)] = os.path.abspath(Path(location).expanduser())  # noqa: PTH100
    place = directory / LOCAL_MODELS
    if paths:
        place.write_text(json.dumps(paths, indent=2, sort_keys=True), encoding="utf-8")
    else:
        place.unlink(missing_ok=True)


def with_local_paths(directory: Path, config: Any) -> Any:
    """A configuration as read, with the paths of those local models that this machine has; the others keep their names."""
    paths = _known_paths(directory)
    for source in _sources(config):
        location = source["location"]
        if location.startswith(POCKET_PREFIX):
            found = pocket_directory() / location.removeprefix(POCKET_PREFIX)
        else:
            found = Path(paths.get(_key(location, source.get("revision")), ""))
        if found.is_absolute() and found.is_dir():
            source["location"] = str(found)
    return config


def _is_path(location: str, revision: str | None) -> bool:
    if folder_name(location) is not None:
        return False
    return location.startswith((".", "/", "~")) or location.count("/") > 1 or (revision or "").startswith(_CONTENT_HASH)


def _sources(value: Any) -> Iterator[dict[str, Any]]:
    """Every saved model source in nested dictionaries and lists, wherever it stands."""
    if isinstance(value, dict):
        if isinstance(value.get("location"), str):
            yield value
        for inner in value.values():
            yield from _sources(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _sources(inner)


def _known_paths(directory: Path) -> dict[str, str]:
    try:
        paths = json.loads((directory / LOCAL_MODELS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(path) for name, path in paths.items()} if isinstance(paths, dict) else {}


def _key(location: str, revision: str | None) -> str:
    return f"{location}@{revision}" if revision else location
