"""Whether the backends of a campaign exist and take its settings: their settings models decide, no model library is loaded."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from db.campaigns import parse_config
from db.enums import Stage
from db.errors import BadConfiguration
from db.jobs.batch_keys import parameters_of
from workers.backends.errors import BadSettings, UnknownBackend
from workers.backends.registry import settings_type
from workers.backends.settings.base import PromptSettings, RepaintSettings
from workers.backends.settings.reading import check_settings, read_stored_settings

if TYPE_CHECKING:
    from db.campaigns import CampaignConfig
    from db.jobs.batch_keys import StageParameters

#: Settings that a campaign's own fields give to the backends of a stage; all others stand in the section's `settings`.
_OWN_FIELDS = {Stage.PROMPT: frozenset(PromptSettings.model_fields), Stage.GENERATE: frozenset(RepaintSettings.model_fields)}


def check_backends(config: CampaignConfig) -> None:
    """Raise `BadConfiguration` that names every unknown backend and every wrong setting on one line, each with the fix."""
    faults = [fault for one in parameters_of(config) if one.stage is not Stage.RECAPTION for fault in _faults(one)]
    faults += _prompts_too_long(config)
    if faults:
        raise BadConfiguration("; ".join(dict.fromkeys(faults)))


def with_defaults(config: CampaignConfig) -> CampaignConfig:
    """The configuration with the backends' own defaults written out: two that mean the same are equal.

    What an earlier version stored and its backend ignored is left out; settings of a backend that is not installed stay as they are.
    """
    sections = config.model_dump(mode="json")
    for one in parameters_of(config):
        section = _section(sections, one)
        section["settings"] = _completed(one, section["settings"])
    return parse_config(sections)


def _prompts_too_long(config: CampaignConfig) -> list[str]:
    """Whether a generator would cut the prompts off; where its model decides, the prompt writer sees it when it loads the tokenizer."""
    faults = []
    for one in parameters_of(config):
        if one.stage is not Stage.GENERATE:
            continue
        with suppress(UnknownBackend):  # told already
            longest = getattr(settings_type(one.parameters.backend), "longest_prompt", None)
            wanted = {"max_tokens": config.prompt.max_tokens, "target_tokens": config.prompt.target_tokens}
            faults += [
                f"prompt.{name} = {value}: the backend {one.parameters.backend} of level {one.level} reads {longest}: give at most that"
                for name, value in wanted.items()
                if longest is not None and value > longest
            ]
    return faults


def _faults(one: StageParameters) -> list[str]:
    try:
        check_settings(settings_type(one.parameters.backend), one.parameters.settings)
    except UnknownBackend as error:
        return [f"{_path(one)}.backend: {error}"]
    except BadSettings as error:
        return [fault.at(_place(one, fault.name)) for fault in error.faults]
    return []


def _path(one: StageParameters) -> str:
    return f"level.{one.level}" if one.stage is Stage.GENERATE else str(one.stage)


def _place(one: StageParameters, name: str) -> str:
    """By what name the person who wrote the campaign file knows a setting."""
    if one.stage is Stage.PROMPT and name in {"", "brief_set"}:
        return f"level.{one.level}.brief"
    if name == "counted_by":
        return "prompt.model"
    if name in _OWN_FIELDS.get(one.stage, ()):
        return f"{_path(one)}.{name}"
    return f"{_path(one)}.settings.{name}" if name else _path(one)


def _section(sections: dict[str, Any], one: StageParameters) -> dict[str, Any]:
    if one.stage is Stage.GENERATE:
        section: dict[str, Any] = sections["level"][one.level]
    else:
        section = sections["prompt" if one.stage is Stage.PROMPT else "caption"]
    return section


def _completed(one: StageParameters, given: dict[str, Any]) -> dict[str, Any]:
    try:
        settings = read_stored_settings(settings_type(one.parameters.backend), one.parameters.settings)
    except (UnknownBackend, BadSettings):
        return given
    own = _OWN_FIELDS.get(one.stage, frozenset())
    return {name: value for name, value in settings.model_dump(mode="json").items() if name not in own}
