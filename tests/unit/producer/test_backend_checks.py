from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from db.campaigns import CampaignConfig, parse_config
from db.errors import BadConfiguration
from db.jobs.batch_keys import parameters_of
from producer.backend_checks import check_backends, with_defaults
from workers.backends.registry import settings_type
from workers.backends.settings import check_settings

#: What a version without settings models stored for a file that says nothing of the captioner.
OLD_CAPTION = {"settings": {"max_new_tokens": 40}}
FAKES: dict[str, Any] = {
    "caption": {"backend": "fake-caption", "model": ""},
    "prompt": {"backend": "fake-prompt"},
    "level": {"radical": {"backend": "fake-repaint", "model": "", "steps": 4, "strength": 0.5}},
}


@pytest.mark.parametrize("settings", [{}, {"recaption": False}, FAKES, {"level": {"far": {"strength": 0.6, "brief": "restyle"}}}])
def test_a_sound_campaign_passes(settings: dict[str, Any]) -> None:
    check_backends(parse_config(settings))


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"caption": {"backend": "blip9"}}, "caption.backend: no installed package offers the backend 'blip9': check the campaign's"),
        ({"prompt": {"backend": "haiku"}}, "prompt.backend: no installed package offers the backend 'haiku'"),
        (
            {"caption": {"settings": {"max_new_token": 12}}},
            "caption.settings.max_new_token: there is no such setting: choose from max_new_tokens, num_beams, prompt",
        ),
        ({"caption": {"settings": {"num_beams": "2"}}}, "caption.settings.num_beams = '2': give a whole number"),
        ({"prompt": {"settings": {"tone": "dark"}}}, "prompt.settings.tone: there is no such setting: choose from max_tokens, "),
        ({"level": {"radical": {"strength": 0.5, "guidance": 101}}}, "level.radical.guidance = 101.0: give at most 100"),
        (
            {"level": {"radical": {"strength": 0.5, "settings": {"aesthetic_score": 11}}}},
            "level.radical.settings.aesthetic_score = 11: give at most 10",
        ),
        ({"level": {"wild": {"strength": 0.5}}}, "level.wild.brief: no briefs 'wild': choose from moderate, radical, restyle"),
        ({"level": {"radical": {"backend": "blip2", "strength": 0.5}}}, "level.radical.strength: there is no such setting"),
        ({"caption": {"backend": "sdxl"}}, "caption.settings.steps: it must be given"),
    ],
)
def test_what_a_backend_does_not_know_is_named_as_in_the_campaign_file(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadConfiguration) as refusal:
        check_backends(parse_config(settings))

    assert fault in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_fault_that_all_levels_share_is_named_once() -> None:
    with pytest.raises(BadConfiguration) as refusal:
        check_backends(parse_config({"prompt": {"backend": "haiku"}}))

    assert str(refusal.value).count("haiku") == 1


def test_settings_spelled_out_and_left_out_mean_the_same() -> None:
    spelled_out = {"caption": {"settings": {"max_new_tokens": 40, "num_beams": 1}}}

    assert with_defaults(parse_config(spelled_out)) == with_defaults(CampaignConfig())
    assert with_defaults(parse_config({"caption": {"settings": {"max_new_tokens": 41}}})) != with_defaults(CampaignConfig())


@pytest.mark.parametrize("sections", [{}, FAKES])
def test_a_campaign_of_the_version_before_means_the_same_as_its_file(sections: dict[str, Any]) -> None:
    stored = parse_config({**sections, "caption": {**sections.get("caption", {}), **OLD_CAPTION}})

    assert stored.config_hash != parse_config(sections).config_hash
    assert with_defaults(stored) == with_defaults(parse_config(sections))


def test_what_the_version_before_stored_and_ignored_makes_no_difference() -> None:
    stored = parse_config({"prompt": {"settings": {"tone": "dark"}}})

    assert with_defaults(stored) == with_defaults(CampaignConfig())


def test_a_backend_that_is_not_installed_here_is_compared_as_it_stands() -> None:
    one, other = (parse_config({"caption": {"backend": "haiku", "settings": {"tone": tone}}}) for tone in ("dark", "light"))

    assert with_defaults(one).differences(with_defaults(other)) == ["caption.settings.tone: 'dark' -> 'light'"]


def test_what_a_level_says_by_its_own_fields_is_not_written_out_twice() -> None:
    radical = with_defaults(CampaignConfig()).level["radical"]

    assert radical.settings == {"negative_prompt": "", "aesthetic_score": 6.0, "negative_aesthetic_score": 2.5}
    assert (radical.strength, with_defaults(CampaignConfig()).prompt.settings) == (0.45, {})


def test_the_defaults_of_a_campaign_are_settings_that_its_backends_take() -> None:
    for one in parameters_of(CampaignConfig()):
        check_settings(settings_type(one.parameters.backend), one.parameters.settings)


def test_checking_a_campaign_loads_no_model_library() -> None:
    code = (
        "import sys; from db.campaigns import CampaignConfig; from producer.backend_checks import check_backends, with_defaults;"
        "check_backends(CampaignConfig()); with_defaults(CampaignConfig());"
        "print([name for name in ('torch', 'transformers', 'diffusers', 'celery') if name in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
