"""Whether the models that open campaigns need are on this host, or within its reach."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from db.errors import BadConfiguration
from db.models_directory import is_local, local_model_path, resolve_models_directory
from producer.health.check import HealthCheck, failed, passed, warned
from producer.health.hub import cached_snapshot, is_offline, reach_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from db.monitoring.health import NeededModel
    from db.settings import Settings

MODELS = "models"
#: A hub id: a name, mostly behind an organisation's.
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
#: What stands where a file should be that Git LFS was to fetch.
_POINTER = b"version https://git-lfs"
_FILES = ("config.json", "model_index.json")


def check_models(
    needed: Iterable[NeededModel], settings: Settings, environment: Mapping[str, str], *, timeout_seconds: float
) -> list[HealthCheck]:
    """One check for each model; on a host that cannot run models nothing is worse than a warning."""
    # One look at each, whatever campaigns and stages use it.
    found = {(one.model, one.revision, one.models_directory): one for one in needed if _has_files(one)}
    checks = [_check(one, settings, environment, timeout_seconds) for one in found.values()]
    if find_spec("torch") is not None:
        return checks
    return [check if not check.fix else warned(MODELS, f"{check.text} (this host has no torch and runs no model)") for check in checks]


def _has_files(one: NeededModel) -> bool:
    """Whether it is a model that this host loads: fakes have none, and an endpoint's lies with the endpoint."""
    return not one.backend.startswith("fake-") and one.backend != "chat-endpoint"


def check_model_directory(directory: Path, name: str) -> HealthCheck:
    """Whether a folder holds a whole model: its description, and weights that are no Git LFS pointers."""
    if not directory.is_dir():
        return failed(MODELS, f"{name}: there is no folder {directory}", "put the model there, or set PARAGONE_MODELS to where it is")
    if not any((directory / file).is_file() for file in _FILES):
        return failed(MODELS, f"{name}: {directory} has neither config.json nor model_index.json", "copy the whole model again")
    return _check_weights(sorted(directory.rglob("*.safetensors")), directory, name)


def _check_weights(weights: list[Path], directory: Path, name: str) -> HealthCheck:
    if not weights:
        return failed(MODELS, f"{name}: {directory} has no *.safetensors", "copy the whole model again; pickles (*.bin) are not read")
    for file in weights:
        try:
            with file.open("rb") as stream:
                begin = stream.read(len(_POINTER))
        except OSError as error:
            return failed(MODELS, f"{name}: {file} cannot be read ({error.strerror})", "correct its permissions, or copy it again")
        if begin == _POINTER:
            return failed(MODELS, f"{name}: {file} is a Git LFS pointer, not the file", "run `git lfs pull` in that folder")
        if not begin:
            return failed(MODELS, f"{name}: {file} is empty", "copy the whole model again")
    return passed(MODELS, f"{name} is in {directory}")


def _check(one: NeededModel, settings: Settings, environment: Mapping[str, str], timeout_seconds: float) -> HealthCheck:
    if is_local(one.model):
        try:
            directory = settings.models or resolve_models_directory(one.models_directory)
        except BadConfiguration as error:
            return failed(MODELS, f"{one.model}: {error}")
        return check_model_directory(local_model_path(one.model, directory), f"{one.model} (campaign {one.campaign})")
    local = Path(one.model).expanduser()
    if local.is_dir() or not _HUB_ID.fullmatch(one.model):
        return check_model_directory(local, f"{one.model} (campaign {one.campaign})")
    if cached_snapshot(one.model, one.revision, environment) is not None:
        return passed(MODELS, f"{one.model} is in this host's cache")
    if variable := is_offline(environment):
        fix = f"unset {variable} for the first run, or copy the cache of a host that has it"
        return failed(MODELS, f"{one.model} is not in this host's cache, and {variable} forbids to fetch it", fix)
    return reach_model(one.model, one.revision, environment, timeout_seconds=timeout_seconds)
