from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from db.campaigns import CampaignConfig, parse_config, read_campaign_file
from db.enums import Stage
from db.errors import BadConfiguration

if TYPE_CHECKING:
    from pathlib import Path


def test_the_defaults_are_the_replaced_recipe_with_its_faults_fixed() -> None:
    config = parse_config({})

    assert (config.caption.backend, config.caption.model) == ("blip2", "Salesforce/blip2-opt-2.7b")
    assert (config.levels, config.variations, config.picture.size, config.include_incomplete) == ("both", 1, 1024, False)
    assert {name: level.strength for name, level in config.level.items()} == {"moderate": 0.3, "radical": 0.45}
    for level in config.level.values():
        assert (level.model, level.steps, level.guidance) == ("stabilityai/stable-diffusion-xl-refiner-1.0", 25, 7.5)
    assert config.stages == tuple(Stage)
    assert parse_config({"recaption": False}).stages == (Stage.CAPTION, Stage.PROMPT, Stage.GENERATE)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"sead": 1}, "sead: Extra inputs"),
        ({"levels": {"radical": 0.8, "moderate": 0.3}}, "sum to 1"),
        ({"levels": {"radical": 1.5, "moderate": -0.5}}, "sum to 1"),
        ({"levels": {"extreme": 1.0}}, "names extreme, but only moderate, radical"),
        ({"level": {"radical": {"strength": 0.03}}}, "runs no step"),
        ({"level": {"radical": {"strength": 1.5}}}, "level.radical.strength"),
        ({"level": {}}, "level"),
        ({"picture": {"size": 1001}}, "picture.size"),
        ({"prompt": {"max_tokens": 7}}, "prompt.max_tokens"),
        ({"variations": 0}, "variations"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadConfiguration, match=re.escape(fault)) as refusal:
        parse_config(settings)
    assert "\n" not in str(refusal.value)


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(BadConfiguration) as refusal:
        parse_config({"variations": 0, "picture": {"size": 7}, "seed": "x"})

    assert all(name in str(refusal.value) for name in ("variations", "picture.size", "seed"))


def test_the_configuration_hash_leaves_out_where_models_lie_and_nothing_else() -> None:
    plain = parse_config({})
    assert parse_config({"models_directory": "/elsewhere"}).config_hash == plain.config_hash
    assert parse_config(plain.model_dump(mode="json")).config_hash == plain.config_hash

    changes: list[dict[str, Any]] = [
        {"seed": 1},
        {"levels": {"radical": 0.8, "moderate": 0.2}},
        {"variations": 2},
        {"include_incomplete": True},
        {"recaption": False},
        {"caption": {"revision": "v2"}},
        {"prompt": {"target_tokens": 50}},
        {"level": {"radical": {"strength": 0.45}}},
        {"picture": {"quality": 90}},
        {"caption": {"settings": {"max_new_tokens": 41}}},
    ]
    hashes = {plain.config_hash, *(parse_config(change).config_hash for change in changes)}
    assert len(hashes) == 1 + len(changes)


def test_the_configuration_hash_survives_a_round_through_the_database() -> None:
    config = parse_config({"levels": {"radical": 0.8, "moderate": 0.2}, "seed": 3})

    assert CampaignConfig.model_validate(config.model_dump(mode="json")).config_hash == config.config_hash


def test_differences_name_each_setting_with_both_values() -> None:
    mine = parse_config({"models_directory": "/here"})
    theirs = parse_config({"seed": 4, "level": {"radical": {"strength": 0.5}}, "models_directory": "/there"})

    assert mine.differences(mine) == []
    differences = mine.differences(theirs)
    assert "seed: 0 -> 4" in differences
    assert "level.radical.strength: 0.45 -> 0.5" in differences
    assert "level.moderate.strength: 0.3 -> None" in differences
    assert not any("models_directory" in difference or "radical.steps" in difference for difference in differences)


def test_a_campaign_file_gives_a_name_and_settings(tmp_path: Path) -> None:
    path = tmp_path / "base.toml"
    path.write_text('name = "base"\nseed = 5\n[level.radical]\nstrength = 0.65\n')

    name, settings = read_campaign_file(path)

    assert name == "base"
    config = parse_config(settings)
    assert (config.seed, config.level["radical"].strength, list(config.level)) == (5, 0.65, ["radical"])


def test_a_campaign_file_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    with pytest.raises(BadConfiguration, match=r"broken\.toml cannot be read: No such file"):
        read_campaign_file(path)
    for content in (b"seed = \n", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(BadConfiguration, match=r"broken\.toml is no TOML"):
            read_campaign_file(path)


def test_a_letterbox_goes_unnamed_so_that_older_campaigns_stay_what_they_are() -> None:
    plain, named = parse_config({}), parse_config({"picture": {"preparation": "letterbox"}})

    assert plain.config_hash == named.config_hash == "fc2bda5da6c676418616fc4666c3d2d24486dcc0ffdc11a3301ce7e66bda7ad5"
    assert plain.picture.model_dump(mode="json") == {"size": 1024, "format": "jpeg", "quality": 95}
    assert plain.differences(named) == []


@pytest.mark.parametrize("preparation", ["buckets", "crop", "stretch"])
def test_another_preparation_is_another_configuration(preparation: str) -> None:
    plain, other = parse_config({}), parse_config({"picture": {"preparation": preparation}})

    assert other.config_hash != plain.config_hash
    assert plain.differences(other) == [f"picture.preparation: 'letterbox' -> '{preparation}'"]
    assert other.differences(plain) == [f"picture.preparation: '{preparation}' -> 'letterbox'"]
    assert CampaignConfig.model_validate(other.model_dump(mode="json")) == other


def test_an_unknown_preparation_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BadConfiguration, match=r"picture\.preparation: .*'letterbox', 'buckets', 'crop' or 'stretch'"):
        parse_config({"picture": {"preparation": "mirror"}})
