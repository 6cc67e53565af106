from __future__ import annotations

from pathlib import Path

import pytest

from db.campaigns import CampaignConfig, read_campaign_file
from db.errors import BadConfiguration
from producer.backend_checks import with_defaults
from producer.campaign_options import config_file, configuration
from producer.errors import WrongUse


def test_the_shipped_defaults_are_the_defaults() -> None:
    name, settings = read_campaign_file(config_file("repaints"))
    assert name == "repaints"
    assert with_defaults(configuration(settings)) == with_defaults(CampaignConfig())
    written = CampaignConfig.model_validate(settings).model_dump(exclude_unset=True)
    assert set(written) == set(CampaignConfig.model_fields) - {"models_directory"}, "every setting is spelled out"


def test_the_shipped_radical_campaign_paints_with_the_base_model() -> None:
    config = configuration(read_campaign_file(config_file("radical-sdxl-base"))[1])
    assert list(config.level) == ["radical"]
    assert (config.level["radical"].model, config.level["radical"].strength) == ("stabilityai/stable-diffusion-xl-base-1.0", 0.65)


def test_a_file_of_ones_own_comes_before_a_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert config_file("repaints").parent.name == "campaigns"
    Path("repaints").write_text("seed = 1")
    assert config_file("repaints") == Path("repaints")


def test_keeping_some_levels_spreads_the_shares_over_them() -> None:
    level = {"strength": 0.5}
    settings = {"level": {"a": level, "b": level, "c": level}, "levels": {"a": 0.5, "b": 0.3, "c": 0.2}}
    config = configuration(settings, levels=["b", "c"])
    assert isinstance(config.levels, dict)
    assert config.levels == pytest.approx({"b": 0.6, "c": 0.4})
    assert list(config.level) == ["b", "c"]
    assert configuration({}, levels=["radical"]).levels == "both"


def test_a_level_without_a_share_cannot_be_the_only_one() -> None:
    with pytest.raises(WrongUse, match="no share"):
        configuration({"levels": {"radical": 1.0, "moderate": 0.0}}, levels=["moderate"])


def test_pocket_models_that_are_not_installed_are_named_with_the_fix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("db.models_directory.files", lambda _package: tmp_path)
    with pytest.raises(BadConfiguration, match="paragone tiny-models DIR"):
        configuration({}, models="pocket")
