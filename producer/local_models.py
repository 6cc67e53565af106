"""A directory of local models with its `models.json`: which folder serves what, and how its models want to be run."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from db.errors import BadConfiguration
from db.models_directory import LOCAL_PREFIX, MODELS_FILE, POCKET, resolve_models_directory

if TYPE_CHECKING:
    from pathlib import Path

_CAPTIONER = "captioner"


class ImageAdvice(BaseModel):
    """The canvas that the models were made for."""

    size: int


class LevelAdvice(BaseModel):
    """How one level is repainted by these models; what is not named here passes to the level's configuration as it is."""

    model_config = ConfigDict(extra="allow")

    #: Folder of the generator.
    model: str


class ModelsFile(BaseModel):
    """The content of `models.json`."""

    description: str = ""
    trained: bool = False
    image: ImageAdvice
    #: Settings of the captioner.
    captioner: dict[str, Any] = Field(default_factory=dict)
    #: Settings of the prompt writer, such as how long prompts should be.
    prompt: dict[str, Any] = Field(default_factory=dict)
    levels: dict[str, LevelAdvice] = Field(min_length=1)


def read_models_file(directory: Path) -> ModelsFile:
    """The directory's `models.json`, its folders checked; raises `BadConfiguration` with what is missing."""
    path = directory / MODELS_FILE
    try:
        found = ModelsFile.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        fix = "`paragone tiny-models DIR` makes a directory of models"
        raise BadConfiguration(f"--models: {path} cannot be read ({error.strerror}): {fix}") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'the whole'}: {fault['msg']}" for fault in error.errors())
        raise BadConfiguration(f"--models: {path} cannot be used: {faults}") from None
    except ValueError as error:
        raise BadConfiguration(f"--models: {path} is no JSON: {error}") from None
    for folder in sorted({_CAPTIONER, *(level.model for level in found.levels.values())}):
        if not (directory / folder).is_dir():
            raise BadConfiguration(f"--models: {directory} has no folder {folder!r}, which its models.json needs")
    return found


def with_local_models(settings: dict[str, Any], named: str) -> dict[str, Any]:
    """A campaign's settings with all models from a directory; how they are run follows `models.json` where the settings are silent.

    `named` is the value of `--models`. Raises `BadConfiguration`, also for a level of the settings that the models do not serve.
    """
    directory = resolve_models_directory(named)
    if not directory.exists() and get_close_matches(named.casefold(), [POCKET]):
        raise BadConfiguration(f"--models: there is no directory {named}: did you mean `--models {POCKET}`?")
    advice = read_models_file(directory)
    asked = _table(settings, "level") or {name: {} for name in advice.levels}
    unknown = sorted(set(asked) - set(advice.levels))
    if unknown:
        raise BadConfiguration(f"--models: {directory} serves {', '.join(advice.levels)}, not {', '.join(unknown)}")
    caption = _table(settings, "caption")
    levels = {}
    for name in asked:
        wanted = advice.levels[name]
        levels[name] = {**(wanted.model_extra or {}), **_unnamed(_table(asked, name)), "model": f"{LOCAL_PREFIX}{wanted.model}"}
    return {
        **settings,
        "models_directory": POCKET if named == POCKET else str(directory),
        "caption": {
            **_unnamed(caption),
            "model": f"{LOCAL_PREFIX}{_CAPTIONER}",
            "settings": {**advice.captioner, **_table(caption, "settings")},
        },
        "prompt": {**advice.prompt, **_table(settings, "prompt")},
        "level": levels,
        "picture": {"size": advice.image.size, **_table(settings, "picture")},
    }


def _table(settings: dict[str, Any], name: str) -> dict[str, Any]:
    found = settings.get(name, {})
    if not isinstance(found, dict):
        raise BadConfiguration(f"{name}: {found!r} stands where a table of settings belongs")
    return found


def _unnamed(section: dict[str, Any]) -> dict[str, Any]:
    """A model's section without what names another model: a hub's revision means nothing in a local folder."""
    return {key: value for key, value in section.items() if key not in {"model", "revision"}}
