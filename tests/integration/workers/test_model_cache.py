from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from db.campaigns import frozen_revision
from db.jobs.batch_keys import Parameters
from db.settings import Settings
from tests.builders import harness_of
from tests.integration.workers.scripted import Scripted, scripted
from workers.backends.errors import DeviceLost, ModelUnavailable, OutOfMemory
from workers.errors import ModelTrouble
from workers.model_cache import ModelCache

if TYPE_CHECKING:
    from pathlib import Path

    from db.engine import Database
    from workers.backends.protocol import ModelSource

Backends = dict[str, type[Scripted]]
COMMIT = "c" * 40


def asked(model: str = "hub/one", backend: str = "plain", **facts: Any) -> Parameters:
    parameters = Parameters(
        backend=backend, model=model, revision="main", dtype="auto", batch=8, models_directory="", settings={}, picture={}
    )
    return replace(parameters, **facts)


@pytest.fixture
def campaign(database: Database) -> int:
    return harness_of(database, planned=False).campaign.id


def cache_of(database: Database, **settings: Any) -> ModelCache:
    return ModelCache(database, Settings(**settings), device="cpu")


def test_a_model_is_loaded_once_and_serves_every_level(database: Database, backends: Backends, campaign: int) -> None:
    models = cache_of(database)
    assert not models.holds(campaign, asked())

    first = models.take(campaign, asked(settings={"strength": 0.3}))
    again = models.take(campaign, asked(settings={"strength": 0.45}))

    assert again is first
    assert models.holds(campaign, asked())
    assert backends["plain"].log == ["load hub/one"]


def test_other_weights_other_numbers_or_another_backend_are_another_model(database: Database, backends: Backends, campaign: int) -> None:
    backends["other"] = scripted()
    models = cache_of(database, models_kept=9)

    loaded = [
        models.take(campaign, asked("hub/one")),
        models.take(campaign, asked("hub/two")),
        models.take(campaign, asked("hub/one", dtype="float16")),
        models.take(campaign, asked("hub/one", backend="other")),
    ]

    assert len({id(model) for model in loaded}) == 4


def test_the_least_recently_used_leaves_before_another_comes(database: Database, backends: Backends, campaign: int) -> None:
    models = cache_of(database, models_kept=2)
    for name in ("a", "b", "a", "c"):
        models.take(campaign, asked(name))

    assert backends["plain"].log == ["load a", "load b", "unload b", "load c"]
    assert [models.holds(campaign, asked(name)) for name in "abc"] == [True, False, True]


def test_an_evicted_model_is_loaded_again_when_it_is_needed(database: Database, backends: Backends, campaign: int) -> None:
    models = cache_of(database, models_kept=1)
    for name in ("a", "b", "a"):
        models.take(campaign, asked(name))

    assert backends["plain"].log == ["load a", "unload a", "load b", "unload b", "load a"]


def test_a_full_device_at_load_makes_room_one_model_at_a_time(database: Database, backends: Backends, campaign: int) -> None:
    models = cache_of(database, models_kept=9)
    for name in ("a", "b", "c"):
        models.take(campaign, asked(name))
    gone = backends["plain"].log

    def load(source: ModelSource) -> str:
        if "unload b" not in gone:
            raise OutOfMemory("full")
        return "r1"

    backends["large"] = scripted(load=load)
    models.take(campaign, asked("big", backend="large"))

    assert gone == ["load a", "load b", "load c", "unload a", "unload b"]
    assert models.holds(campaign, asked("c"))
    assert models.holds(campaign, asked("big", backend="large"))


def test_a_model_that_does_not_fit_the_empty_device_is_named_with_the_fix(database: Database, backends: Backends, campaign: int) -> None:
    def load(source: ModelSource) -> str:
        raise OutOfMemory("80 GiB asked")

    backends["large"] = scripted(load=load)
    models = cache_of(database)
    models.take(campaign, asked("a"))

    with pytest.raises(ModelTrouble, match=r"big does not fit the device: use a smaller dtype or a larger device \(80 GiB asked\)"):
        models.take(campaign, asked("big", backend="large"))

    assert backends["plain"].log == ["load a", "unload a"]


@pytest.mark.parametrize("needs_device", [True, False])
def test_weights_that_are_unavailable_are_model_trouble_and_may_come_later(
    needs_device: bool, database: Database, backends: Backends, campaign: int
) -> None:
    there: list[bool] = []

    def load(source: ModelSource) -> str:
        if not there:
            raise ModelUnavailable("hub/one: no such model")
        return "r1"

    backends["absent"] = scripted(load=load, needs_device=needs_device)
    models = cache_of(database)

    with pytest.raises(ModelTrouble, match="hub/one: no such model"):
        models.take(campaign, asked(backend="absent"))
    assert not models.holds(campaign, asked(backend="absent"))

    there.append(True)
    assert models.take(campaign, asked(backend="absent")).revision == "r1"


def test_a_device_that_is_lost_while_loading_is_not_the_models_trouble(database: Database, backends: Backends, campaign: int) -> None:
    def load(source: ModelSource) -> str:
        raise DeviceLost("CUDA error: unspecified launch failure")

    backends["lost"] = scripted(load=load)

    with pytest.raises(DeviceLost):
        cache_of(database).take(campaign, asked(backend="lost"))


def test_a_branch_is_resolved_at_the_first_load_and_then_loaded_by_its_commit(
    database: Database, backends: Backends, campaign: int
) -> None:
    backends["hub"] = scripted(load=lambda source: COMMIT)
    first, second = cache_of(database), cache_of(database)

    first.take(campaign, asked(backend="hub"))
    first.take(campaign, asked(backend="hub"))
    second.take(campaign, asked(backend="hub"))

    assert [source.revision for source in backends["hub"].sources] == ["main", COMMIT]
    assert frozen_revision(database, campaign, backend="hub", model="hub/one") == COMMIT


def test_another_campaign_resolves_the_branch_for_itself(database: Database, backends: Backends, campaign: int) -> None:
    backends["hub"] = scripted(load=lambda source: COMMIT)
    other = harness_of(database, name="other", planned=False).campaign.id
    models = cache_of(database)

    models.take(campaign, asked(backend="hub"))
    models.take(other, asked(backend="hub"))

    assert [source.revision for source in backends["hub"].sources] == ["main", "main"]


def test_weights_other_than_those_the_campaign_began_with_are_refused(database: Database, backends: Backends, campaign: int) -> None:
    backends["hub"] = scripted(load=lambda source: "sha256:mine")
    cache_of(database).take(campaign, asked("local:blip", backend="hub", models_directory="/models"))
    backends["hub"] = scripted(load=lambda source: "sha256:theirs")
    other_host = cache_of(database)

    fix = "local:blip is at sha256:theirs here, but the campaign began with sha256:mine: bring those weights, or open another campaign"
    with pytest.raises(ModelTrouble, match=fix):
        other_host.take(campaign, asked("local:blip", backend="hub", models_directory="/models"))

    assert backends["hub"].log == ["load /models/blip", "unload /models/blip"]
    assert not other_host.holds(campaign, asked("local:blip", backend="hub", models_directory="/models"))


def test_a_local_model_lies_in_the_campaigns_directory_or_where_this_host_keeps_it(
    database: Database, backends: Backends, campaign: int, tmp_path: Path
) -> None:
    cache_of(database).take(campaign, asked("local:blip", models_directory="/theirs"))
    cache_of(database, models=tmp_path).take(campaign, asked("local:blip", models_directory="/theirs"))

    assert [source.location for source in backends["plain"].sources] == ["/theirs/blip", f"{tmp_path}/blip"]
    assert {source.revision for source in backends["plain"].sources} == {None}


def test_a_backend_that_no_package_offers_is_named(database: Database, backends: Backends, campaign: int) -> None:
    with pytest.raises(ModelTrouble, match="no installed package offers the backend 'blip9'"):
        cache_of(database).take(campaign, asked(backend="blip9"))


def test_a_backend_whose_library_is_missing_says_what_to_install(
    database: Database, campaign: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def load(self) -> None:
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("workers.backends.registry.entry_points", lambda **_: [Broken()])

    with pytest.raises(ModelTrouble, match=r"the backend 'sdxl' needs torch: pip install 'paragone\[gpu\]'"):
        cache_of(database).take(campaign, asked(backend="sdxl"))


def test_a_backend_without_a_device_evicts_no_model(database: Database, backends: Backends, campaign: int) -> None:
    backends["light"] = scripted(needs_device=False)
    models = cache_of(database, models_kept=1)

    models.take(campaign, asked("a"))
    light = models.take(campaign, asked("b", backend="light"))

    assert models.take(campaign, asked("b", backend="light")) is light
    assert backends["light"].log == ["load b"]
    assert models.holds(campaign, asked("a"))
    assert not models.needs_device(asked(backend="light"))


def test_clearing_unloads_everything_on_the_device(database: Database, backends: Backends, campaign: int) -> None:
    models = cache_of(database)
    models.take(campaign, asked("a"))
    models.take(campaign, asked("b"))

    models.clear()

    assert backends["plain"].log[2:] == ["unload a", "unload b"]
    assert not models.holds(campaign, asked("a"))


def test_the_capacity_of_a_key_begins_with_its_batch_and_is_kept_by_key(database: Database, backends: Backends) -> None:
    models = cache_of(database)

    models.capacity("c1/caption", asked()).limit = 3

    assert models.capacity("c1/caption", asked()).limit == 3
    assert models.capacity("c1/recaption", asked(batch=5)).limit == 5
