from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from db.campaigns import frozen_revision
from db.enums import Stage
from db.jobs.batch_keys import Parameters
from db.jobs.claim import BatchCandidate
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


def key_of(campaign: int, model: str = "hub/one", **facts: Any) -> BatchCandidate:
    parameters = asked(model, **facts)
    return BatchCandidate(
        batch_key=f"c{campaign}/{model}",
        campaign_id=campaign,
        stage=Stage.CAPTION,
        parameters=parameters,
        priority=0,
        has_suspects=False,
    )


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

    models.capacity("c1/caption", asked()).shrink(7)

    assert models.capacity("c1/caption", asked()).limit == 3
    assert models.capacity("c1/recaption", asked(batch=5)).limit == 5


def test_a_model_evicts_another_only_where_there_is_no_room_beside_the_loaded_and_the_coming(
    database: Database, backends: Backends, campaign: int
) -> None:
    models = cache_of(database, models_kept=2)
    models.take(campaign, asked("a"))

    assert not models.need(key_of(campaign, "a")).evicts
    assert not models.need(key_of(campaign, "b")).evicts
    # b is about to be loaded, which leaves no room for c and pushes nothing out; c would push a out
    assert models.need(key_of(campaign, "c"), [key_of(campaign, "b")]).evicts
    assert not models.need(key_of(campaign, "a"), [key_of(campaign, "b")]).evicts
    assert models.need(key_of(campaign, "a"), [key_of(campaign, "b"), key_of(campaign, "c")]).evicts
    models.take(campaign, asked("b"))
    assert models.need(key_of(campaign, "c")).evicts


def test_keys_that_share_a_model_need_the_same_and_those_elsewhere_need_none(database: Database, backends: Backends, campaign: int) -> None:
    backends["light"] = scripted(needs_device=False)
    models = cache_of(database)

    strong, weak = key_of(campaign, settings={"strength": 0.7}), key_of(campaign, settings={"strength": 0.3})
    assert models.need(strong) == models.need(weak)
    assert models.need(key_of(campaign, "other")) != models.need(strong)
    assert models.need(key_of(campaign, backend="light")).model is None


def test_what_a_key_of_an_unknown_backend_needs_is_told_when_it_is_run(database: Database, backends: Backends, campaign: int) -> None:
    assert cache_of(database).need(key_of(campaign, backend="blip9")).model is None


def test_idle_models_are_unloaded_and_the_one_at_work_stays(database: Database, backends: Backends, campaign: int) -> None:
    models = cache_of(database)
    for name in ("a", "b", "c"):
        models.take(campaign, asked(name))
    at_work = models.take(campaign, asked("b"))

    assert models.evict_idle(at_work, models.capacity("key", asked("b")))

    assert set(backends["plain"].log[3:]) == {"unload a", "unload c"}
    assert [models.holds(campaign, asked(name)) for name in "abc"] == [False, True, False]
    assert not models.evict_idle(at_work, models.capacity("key", asked("b")))


def test_a_backend_without_a_device_unloads_nobody(database: Database, backends: Backends, campaign: int) -> None:
    backends["light"] = scripted(needs_device=False)
    models = cache_of(database)
    models.take(campaign, asked("a"))
    models.take(campaign, asked("b"))
    light = models.take(campaign, asked(backend="light"))

    assert not models.evict_idle(light, models.capacity("key", asked(backend="light")))
    assert models.holds(campaign, asked("a"))


def test_models_that_left_for_a_batch_do_not_come_back_beside_it_while_it_is_that_large(
    database: Database, backends: Backends, campaign: int
) -> None:
    models = cache_of(database, models_kept=3)
    capacity = models.capacity("key", asked("b"))
    for name in ("a", "b"):
        models.take(campaign, asked(name))
    models.evict_idle(models.take(campaign, asked("b")), capacity)

    assert models.need(key_of(campaign, "a")).evicts
    assert not models.need(key_of(campaign, "c")).evicts
    models.take(campaign, asked("a"))
    assert not models.holds(campaign, asked("b"))

    # The batch alone did not fit either, so the models were not what was too much
    capacity.shrink(8)
    assert not models.need(key_of(campaign, "b")).evicts


def test_models_that_proved_not_to_fit_together_are_not_brought_together_again(
    database: Database, backends: Backends, campaign: int
) -> None:
    def load(source: ModelSource) -> str:
        if backends["plain"].log.count("load a") > backends["plain"].log.count("unload a"):
            tried.append(source.location)
            raise OutOfMemory("full")
        return "r1"

    tried: list[str] = []
    backends["large"] = scripted(load=load)
    models = cache_of(database, models_kept=3)
    models.take(campaign, asked("a"))
    models.take(campaign, asked("big", backend="large"))
    assert tried == ["big"]

    assert models.need(key_of(campaign, "a")).evicts
    models.take(campaign, asked("a"))
    assert backends["large"].log[-1] == "unload big"
    models.take(campaign, asked("big", backend="large"))
    assert tried == ["big"]


@pytest.mark.parametrize("needs_device", [True, False])
def test_a_backend_that_exits_while_loading_is_model_trouble(
    needs_device: bool, database: Database, backends: Backends, campaign: int
) -> None:
    def load(source: ModelSource) -> str:
        raise SystemExit(3)

    backends["rude"] = scripted(load=load, needs_device=needs_device)

    with pytest.raises(ModelTrouble, match=r"the backend called sys\.exit\(3\)"):
        cache_of(database).take(campaign, asked(backend="rude"))
