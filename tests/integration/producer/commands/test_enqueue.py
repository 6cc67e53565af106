from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from db.campaigns import all_campaigns, find_campaign
from db.enums import ImageState, Stage
from db.errors import BadConfiguration, CampaignDiffers
from db.runtime import Runtime
from db.tables import attempts, campaigns, jobs
from producer.errors import NothingRegistered, UnknownStyle, WrongUse
from tests.builders import CampaignHarness, artworks_of
from tests.integration.producer.commands.conftest import Operator

if TYPE_CHECKING:
    from pathlib import Path

FAKES = """
name = "fakes"
seed = 3
[caption]
backend = "fake-caption"
[prompt]
backend = "fake-prompt"
[level.moderate]
backend = "fake-repaint"
strength = 0.5
steps = 4
[level.radical]
backend = "fake-repaint"
strength = 0.75
steps = 4
[picture]
size = 64
format = "png"
"""


@pytest.fixture
def fakes(tmp_path: Path) -> str:
    path = tmp_path / "fakes.toml"
    path.write_text(FAKES)
    return str(path)


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A directory that looks like one of local models."""
    directory = tmp_path / "tiny"
    for folder in ("captioner", "refiner"):
        (directory / folder).mkdir(parents=True)
    level = {"model": "refiner", "steps": 8, "guidance": 7.5}
    advice = {
        "image": {"size": 64},
        "captioner": {"max_new_tokens": 12},
        "levels": {"moderate": {**level, "strength": 0.3}, "radical": {**level, "strength": 0.45}},
    }
    (directory / "models.json").write_text(json.dumps(advice))
    return str(directory)


def test_a_campaign_is_opened_once_and_then_only_added_to(operator: Operator, fakes: str) -> None:
    artworks_of(operator.database, 3)
    artworks_of(operator.database, 2, picture=ImageState.PLANNED)
    artworks_of(operator.database, 4, incomplete="no artist")
    first = operator.json_of("enqueue --config", fakes)
    assert (first["campaign"], first["jobs"], first["artworks"], first["variations"]) == ("fakes", 35, 5, 10)
    assert (first["without_picture"], first["left_out"]) == (2, {"no artist": 4})
    assert operator.json_of("enqueue --config", fakes)["jobs"] == 0
    artworks_of(operator.database, 1, style="Cubism")
    assert operator.json_of("enqueue")["jobs"] == 7, "without options the campaign keeps its own configuration"
    assert [campaign.name for campaign in all_campaigns(operator.database)] == ["fakes"]
    assert "nothing to add" in operator.output_of("enqueue")


def test_a_dry_run_of_enqueue_counts_the_same_and_writes_nothing(operator: Operator, fakes: str) -> None:
    artworks_of(operator.database, 3)
    assert operator.json_of("enqueue --dry-run --config", fakes)["jobs"] == 21
    assert all_campaigns(operator.database) == []
    assert operator.json_of("enqueue --limit 1 --config", fakes)["jobs"] == 7
    assert operator.json_of("enqueue --dry-run")["jobs"] == 14
    with operator.database.engine.connect() as connection:
        assert len(connection.execute(select(jobs.c.id)).all()) == 7


def test_options_of_enqueue_select_artworks_and_priority(operator: Operator, fakes: str) -> None:
    artworks_of(operator.database, 3)
    artworks_of(operator.database, 2, style="Cubism")
    artworks_of(operator.database, 2, style="Pop Art")
    first = operator.json_of("enqueue --priority 5 --style Cubism --style", "Pop Art", "--limit", "3", "--config", fakes)
    assert first["artworks"] == 3
    with operator.database.engine.connect() as connection:
        assert set(connection.scalars(select(jobs.c.priority))) == {5}
    with pytest.raises(UnknownStyle, match="Pop Art"):
        operator.output_of("enqueue --style", "pop art")


def test_the_same_name_with_another_configuration_is_refused_with_the_difference(operator: Operator, fakes: str) -> None:
    artworks_of(operator.database, 1)
    operator.output_of("enqueue --config", fakes)
    for line in ("enqueue --level radical --config", "enqueue --dry-run --level radical --config"):
        with pytest.raises(CampaignDiffers, match=r"level\.moderate\.strength: 0\.5 -> None"):
            operator.output_of(line, fakes)
    assert operator.json_of("enqueue --campaign other --level radical --config", fakes)["jobs"] == 4
    assert list(find_campaign(operator.database, "other").config.level) == ["radical"]


def test_a_campaign_of_the_version_before_goes_on_with_the_same_file(operator: Operator, fakes: str) -> None:
    artworks_of(operator.database, 1)
    operator.output_of("enqueue --config", fakes)
    with operator.database.engine.begin() as connection:
        config = connection.execute(select(campaigns.c.config)).scalar_one()
        config["caption"]["settings"] = {"max_new_tokens": 40}  # the default that stood in every campaign
        connection.execute(update(campaigns).values(config=config))
    artworks_of(operator.database, 1)

    assert operator.json_of("enqueue --dry-run --config", fakes)["jobs"] == 7
    assert operator.json_of("enqueue --config", fakes)["jobs"] == 7
    assert find_campaign(operator.database, "fakes").config.caption.settings == {"max_new_tokens": 40}


def test_an_unknown_backend_or_setting_is_refused_before_anything_is_written(sqlite_operator: Operator, tmp_path: Path) -> None:
    artworks_of(sqlite_operator.database, 1)
    path = tmp_path / "wrong.toml"
    for text, fault in (
        ('[caption]\nbackend = "blip9"', "caption.backend: no installed package offers the backend 'blip9'"),
        ("[caption]\nsettings = {max_new_token = 7}", "caption.settings.max_new_token: there is no such setting"),
        ("[caption]\nsettings = {num_beams = 0}", "caption.settings.num_beams = 0: give at least 1"),
        ("[level.radical]\nstrength = 0.01", "runs no step"),
        ("[level.wild]\nstrength = 0.5", "level.wild.brief: no briefs 'wild'"),
    ):
        path.write_text(text)
        for line in ("enqueue --config", "enqueue --dry-run --config"):
            with pytest.raises(BadConfiguration, match=fault):
                sqlite_operator.output_of(line, str(path))
    assert all_campaigns(sqlite_operator.database) == []


def test_local_models_bring_their_own_sizes_and_the_campaign_file_takes_precedence(
    sqlite_operator: Operator, tiny: str, tmp_path: Path
) -> None:
    artworks_of(sqlite_operator.database, 1)
    sqlite_operator.output_of("enqueue --models", tiny)
    config = find_campaign(sqlite_operator.database, "default").config
    assert config.models_directory == tiny
    assert (config.caption.model, config.caption.settings) == ("local:captioner", {"max_new_tokens": 12})
    assert (config.level["radical"].model, config.level["radical"].steps, config.level["radical"].strength) == ("local:refiner", 8, 0.45)
    assert config.picture.size == 64

    own = tmp_path / "own.toml"
    own.write_text(
        '[caption]\nmodel = "a/hub"\nrevision = "abc"\nsettings = {max_new_tokens = 7}\n[level.radical]\nmodel = "a/hub"\nsteps = 20\n'
    )
    sqlite_operator.output_of("enqueue --campaign own --models", tiny, "--config", str(own))
    config = find_campaign(sqlite_operator.database, "own").config
    assert (config.caption.model, config.caption.revision, config.caption.settings) == ("local:captioner", "main", {"max_new_tokens": 7})
    assert list(config.level) == ["radical"]
    assert (config.level["radical"].model, config.level["radical"].steps, config.level["radical"].guidance) == ("local:refiner", 20, 7.5)


def test_shipped_campaigns_are_named_without_a_path(sqlite_operator: Operator) -> None:
    artworks_of(sqlite_operator.database, 1)
    found = sqlite_operator.json_of("enqueue --dry-run --config radical-sdxl-base")
    assert (found["campaign"], found["variations"]) == ("radical-sdxl-base", 1)
    with pytest.raises(WrongUse, match="radical-sdxl-base, repaints"):
        sqlite_operator.output_of("enqueue --config nothing")


def test_unusable_options_of_enqueue_are_named_and_open_no_campaign(sqlite_operator: Operator, tmp_path: Path) -> None:
    with pytest.raises(NothingRegistered):
        sqlite_operator.output_of("enqueue")
    artworks_of(sqlite_operator.database, 1)
    wrong: list[tuple[str, type[Exception], str]] = [
        ("enqueue --models /nowhere", BadConfiguration, "models.json"),
        ("enqueue --level wild", WrongUse, "moderate, radical"),
        ("enqueue --campaign a/b", BadConfiguration, "a/b"),
        ("enqueue --campaign .hidden", BadConfiguration, "hidden"),
    ]
    for line, kind, reason in wrong:
        with pytest.raises(kind, match=reason):
            sqlite_operator.output_of(line)
    path = tmp_path / "wrong.toml"
    for text in (
        "level = 3",
        "[level]\nradical = 1",
        "name = 7",
        "nonsense = true",
        "[picture]\nsize = 3",
        "[x",
        '[caption]\nsettings = "no"',
    ):
        path.write_text(text)
        with pytest.raises(BadConfiguration):
            sqlite_operator.output_of("enqueue --config", str(path))
    assert all_campaigns(sqlite_operator.database) == []
    sqlite_operator.output_of("enqueue --limit 0", exit_code=2)


def test_the_forecast_measures_what_it_can_and_names_what_is_unknown(operator: Operator, fakes: str) -> None:
    artworks_of(operator.database, 30)
    first: dict[str, Any] = operator.json_of("enqueue --limit 12 --config", fakes)["forecast"]
    assert first["device_seconds"] is None
    assert first["unmeasured"] == ["caption", "prompt", "generate", "recaption"]
    assert first["disk_bytes"] == pytest.approx(24 * (1500 + 64 * 64 * 0.77 * 0.95), rel=0.01)

    CampaignHarness(database=operator.database, campaign=find_campaign(operator.database, "fakes")).run_all()
    with operator.database.engine.begin() as connection:
        of_captions = select(jobs.c.id).where(jobs.c.stage == str(Stage.CAPTION))
        connection.execute(attempts.update().values(seconds=0.25))
        connection.execute(attempts.update().where(attempts.c.job_id.in_(of_captions)).values(seconds=2.0))
    second = operator.json_of("enqueue --dry-run")["forecast"]
    assert second["device_seconds"] == pytest.approx(18 * 2.0 + 36 * 3 * 0.25)
    assert (second["unmeasured"], second["disk_bytes"]) == ([], 36 * 1000)
    assert "measured" in operator.output_of("enqueue --dry-run")
    assert second["gpu_hours"] == pytest.approx(second["device_seconds"] / 3600, abs=1e-4)
    assert second["gpu_basis"]["caption"] == "measured in this campaign (12 jobs)"
    other = operator.json_of("enqueue --dry-run --campaign other --config repaints")["forecast"]
    assert other["device_seconds"] is None, "measurements of fakes say nothing about BLIP-2 and SDXL"
    steps = (2 + 25 * 0.3 // 1) + (2 + 25 * 0.45 // 1)
    assert other["gpu_hours"] == pytest.approx(30 * (0.1 * 3 + 0.11 * steps) / 3600, rel=0.01), "by what is assumed of an A100"
    assert (other["money"], other["currency"]) == (None, None)


def test_the_forecast_tells_money_where_a_gpu_hour_has_a_price(sqlite_operator: Operator, tmp_path: Path) -> None:
    artworks_of(sqlite_operator.database, 1000)
    settings = sqlite_operator.runtime.settings.model_copy(update={"gpu_price": "2.50 EUR"})
    priced = Operator(runtime=Runtime(settings))

    planned = priced.json_of("enqueue --dry-run --config repaints")["forecast"]

    assert planned["money"] == pytest.approx(2.5 * planned["gpu_hours"], abs=0.01)
    assert planned["currency"] == "EUR"
    shown = priced.output_of("enqueue --dry-run --config repaints")
    assert f"money: about {planned['money']:.2f} EUR for {planned['gpu_hours']:.3f} GPU hours" in shown
    assert "generate: assumed: 0.11 s a step of 1024 px on an A100" in shown
    priced.output_of("enqueue --config repaints")
    left = priced.json_of("status")["costs"]["left"]
    assert left["money"] == planned["money"]
    assert f"{left['money']:.2f} EUR" in priced.output_of("status")
    priced.runtime.close()
