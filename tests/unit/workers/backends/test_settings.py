from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from workers.backends.errors import BadSettings
from workers.backends.settings import (
    BackendSettings,
    Blip2Settings,
    ComposeSettings,
    FakeCaptionSettings,
    FakeRepaintSettings,
    Img2ImgSettings,
    NoBackendSettings,
    check_settings,
    read_stored_settings,
)

REPAINT = {"steps": 25, "strength": 0.3, "guidance": 7.5}
PROMPT = {"max_tokens": 75, "target_tokens": 55, "brief_set": "radical"}


def test_a_setting_that_is_not_given_is_the_backends_default() -> None:
    assert check_settings(Blip2Settings, {}) == Blip2Settings(max_new_tokens=40, num_beams=1, prompt="")
    refiner = check_settings(Img2ImgSettings, REPAINT)
    assert (refiner.negative_prompt, refiner.aesthetic_score, refiner.negative_aesthetic_score) == ("", 6.0, 2.5)


@pytest.mark.parametrize(
    ("settings_type", "values", "message"),
    [
        (Blip2Settings, {"max_new_token": 8}, "max_new_token: there is no such setting: choose from max_new_tokens, num_beams, prompt"),
        (Blip2Settings, {"num_beams": 0}, "num_beams = 0: give at least 1"),
        (Blip2Settings, {"max_new_tokens": "8"}, "max_new_tokens = '8': give a whole number"),
        (Blip2Settings, {"max_new_tokens": True}, "max_new_tokens = True: give a whole number"),
        (Blip2Settings, {"prompt": 3}, "prompt = 3: give a text"),
        (Img2ImgSettings, {}, "steps: it must be given; strength: it must be given; guidance: it must be given"),
        (Img2ImgSettings, {**REPAINT, "steps": 0}, "steps = 0: give at least 1"),
        (Img2ImgSettings, {**REPAINT, "strength": 1.5}, "strength = 1.5: give at most 1"),
        (Img2ImgSettings, {**REPAINT, "guidance": -1}, "guidance = -1: give at least 0"),
        (Img2ImgSettings, {**REPAINT, "guidance": False}, "guidance = False: give a number"),
        (Img2ImgSettings, {**REPAINT, "steps": 3}, "3 steps at strength 0.3 run no step: give at least 4 steps or a higher strength"),
        (Img2ImgSettings, {**REPAINT, "strength": 0}, "25 steps at strength 0.0 run no step: give a higher strength"),
        (ComposeSettings, {**PROMPT, "max_tokens": 0}, "max_tokens = 0: give at least 4"),
        (ComposeSettings, {**PROMPT, "brief_set": 7}, "brief_set = 7: give a name or a list of names"),
        (ComposeSettings, {**PROMPT, "brief_set": []}, "no briefs are named: choose from moderate, radical, restyle"),
        (FakeCaptionSettings, {"fail": {"kind": "crsh"}}, "fail.0.kind = 'crsh': give 'oom', 'transient'"),
        (FakeRepaintSettings, {**REPAINT, "seconds_per_batch": -1}, "seconds_per_batch = -1: give at least 0"),
    ],
)
def test_a_wrong_setting_is_named_with_the_fix(settings_type: type[BackendSettings], values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadSettings) as refusal:
        check_settings(settings_type, values)

    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)


def test_briefs_that_there_are_not_are_refused_with_those_that_there_are() -> None:
    with pytest.raises(BadSettings, match=r"no briefs 'wild': choose from moderate, radical, restyle"):
        check_settings(ComposeSettings, {**PROMPT, "brief_set": "wild"})


def test_one_set_of_briefs_or_several_may_be_named() -> None:
    assert check_settings(ComposeSettings, PROMPT).brief_set == ("radical",)
    assert check_settings(ComposeSettings, {**PROMPT, "brief_set": ["material", "scale"]}).brief_set == ("material", "scale")


def test_settings_that_an_earlier_version_stored_and_ignored_are_ignored() -> None:
    stored = {"max_new_tokens": 12, "strength": 0.3}

    assert read_stored_settings(Blip2Settings, stored) == Blip2Settings(max_new_tokens=12)
    assert read_stored_settings(NoBackendSettings, stored) == NoBackendSettings()


def test_a_stored_setting_out_of_range_is_refused_as_before() -> None:
    with pytest.raises(BadSettings, match="max_new_tokens = 0"):
        read_stored_settings(Blip2Settings, {"max_new_tokens": 0})


def test_settings_stay_as_they_were_made() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Blip2Settings().max_new_tokens = 3  # type: ignore[misc]


def test_the_settings_of_every_backend_load_no_model_library() -> None:
    code = (
        "import json, sys; from importlib.metadata import entry_points; from workers.backends.registry import settings_type;"
        "names = sorted(entry.name for entry in entry_points(group='paragone.backends'));"
        "kinds = [settings_type(name).__name__ for name in names];"
        "heavy = [name for name in ('torch', 'transformers', 'diffusers', 'numpy', 'huggingface_hub') if name in sys.modules];"
        "print(json.dumps([names, kinds, heavy]))"
    )

    names, kinds, heavy = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)

    assert dict(zip(names, kinds, strict=True)) == {
        "blip2": "Blip2Settings",
        "chat": "ChatSettings",
        "chat-endpoint": "ChatEndpointSettings",
        "compose": "ComposeSettings",
        "fake-caption": "FakeCaptionSettings",
        "fake-none": "NoBackendSettings",
        "fake-prompt": "FakePromptSettings",
        "fake-repaint": "FakeRepaintSettings",
        "sdxl": "Img2ImgSettings",
    }
    assert heavy == []
