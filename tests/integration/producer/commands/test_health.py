"""What `paragone health` says of a set-up that works, and of each part that does not."""

from __future__ import annotations

import json
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from db.campaigns import open_campaign
from db.campaigns.configuration import CampaignConfig
from db.jobs.plan import Selection, plan_campaign
from db.monitoring.worker_registry import register_worker
from db.runtime import Runtime
from db.settings import Settings
from db.store import Store
from db.tables import attempts, jobs, leases, workers
from producer.health import CheckState, read_health
from tests.builders import artworks_of, harness_of
from tests.services.fake_hub import TOKEN, running_hub

if TYPE_CHECKING:
    from pathlib import Path

    from db.engine import Database
    from db.enums import Stage
    from tests.integration.producer.commands.conftest import Operator
    from tests.services.valkey import ValkeyServer

#: Nobody listens there.
NO_DATABASE = "postgresql://me:hunter2@127.0.0.1:1/art"


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("producer.health.nvidia.shutil", SimpleNamespace(which=lambda _: None))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN", "HF_HUB_CACHE", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def states(runtime: Runtime, **how: Any) -> dict[str, str]:
    return {check.name: str(check.state) for check in read_health(runtime, timeout_seconds=20.0, **how).checks}


def text_of(runtime: Runtime, name: str, **how: Any) -> tuple[str, str]:
    """The state of one check, and what it says."""
    (found,) = [check for check in read_health(runtime, **{"timeout_seconds": 20.0, **how}).checks if check.name == name]
    return str(found.state), f"{found.text}; {found.fix}"


def alive(database: Database, *, host: str = "here", stages: tuple[Stage, ...] = ()) -> None:
    name = f"cpu0-1@{host}"
    register_worker(database, worker_id=name, host=host, pid=7, device="cpu", stages=stages, threads=1, versions={})


def test_a_set_up_that_works_is_ok_in_every_part_and_the_exit_code_is_zero(operator: Operator) -> None:
    report = json.loads(operator.output_of("health --json --timeout 20s"))

    assert list(report) == ["state", "checks"]
    assert {check["name"]: check["state"] for check in report["checks"]} == dict.fromkeys(
        ["database", "broker", "store", "models", "gpu", "progress"], "ok"
    )
    assert all(list(check) == ["name", "state", "text", "fix"] for check in report["checks"])


def test_nothing_is_made_where_nothing_is_yet(tmp_path: Path) -> None:
    runtime = Runtime(Settings(data_dir=tmp_path / "data"))

    assert set(states(runtime).values()) == {"ok"}
    assert not (tmp_path / "data").exists()


def test_quick_looks_at_database_and_broker_alone(sqlite_operator: Operator) -> None:
    assert list(states(sqlite_operator.runtime, quick=True)) == ["database", "broker"]
    assert list(states(sqlite_operator.runtime, quick=True, own_workers=True)) == ["database", "broker", "workers"]


def test_a_database_that_is_away_fails_without_its_password_and_keeps_the_rest_unchecked(tmp_path: Path) -> None:
    runtime = Runtime(Settings.model_validate({"data_dir": tmp_path, "database_url": NO_DATABASE}))
    report = read_health(runtime, timeout_seconds=20.0)

    assert report.state is CheckState.FAIL
    assert {check.name: str(check.state) for check in report.checks} == {
        "database": "fail", "broker": "ok", "store": "warn", "models": "warn", "gpu": "ok", "progress": "warn"
    }  # fmt: skip
    assert "hunter2" not in repr(report)


def test_a_database_without_tables_is_told_what_to_run(database_url: str, tmp_path: Path) -> None:
    runtime = Runtime(Settings.model_validate({"data_dir": tmp_path, "database_url": database_url}))

    state, text = text_of(runtime, "database")

    assert state == "fail"
    assert "paragone init" in text


def test_the_command_ends_with_one_where_something_fails(sqlite_operator: Operator) -> None:
    printed = sqlite_operator.output_of("health --quick --worker --timeout 20s", exit_code=1)

    assert f"fail  workers   no worker of this host ({socket.gethostname()}) was seen within 30 s" in printed
    assert "fix: look at the log of `paragone work` on this host" in printed


def test_a_worker_of_this_host_is_judged_by_its_heartbeat_alone(sqlite_operator: Operator) -> None:
    database = sqlite_operator.database
    alive(database, host="elsewhere")
    assert text_of(sqlite_operator.runtime, "workers", own_workers=True)[0] == "fail"

    alive(database, host=socket.gethostname())
    assert text_of(sqlite_operator.runtime, "workers", own_workers=True)[0] == "ok"

    with database.engine.begin() as connection:
        connection.execute(update(workers).values(seen_at=workers.c.seen_at - 60.0))
    assert text_of(sqlite_operator.runtime, "workers", own_workers=True)[0] == "fail"


def test_a_broker_that_answers_nobody_is_told_in_time(sqlite_operator: Operator, own_valkey: ValkeyServer) -> None:
    settings = sqlite_operator.runtime.settings.model_copy(update={"broker_url": SecretStr(own_valkey.url)})
    assert text_of(Runtime(settings), "broker")[0] == "ok"

    with own_valkey.frozen():
        assert text_of(Runtime(settings), "broker", timeout_seconds=1.0) == (
            "fail",
            "no answer within 1 s; allow more with --timeout if it is only slow",
        )


@pytest.mark.parametrize(
    ("there", "cause"), [("nothing", "is not there: is the disk mounted?"), ("another", "belongs to another database")]
)
def test_a_store_that_is_not_the_one_the_database_knows_fails(sqlite_operator: Operator, tmp_path: Path, there: str, cause: str) -> None:
    place = tmp_path / "data/store"
    place.rename(tmp_path / "unmounted")
    if there == "another":
        Store.create(str(place))

    state, text = text_of(sqlite_operator.runtime, "store")

    assert state == "fail"
    assert cause in text


def test_work_without_a_worker_is_a_warning(operator: Operator) -> None:
    harness_of(operator.database, 1)

    assert text_of(operator.runtime, "progress")[0] == "warn"
    alive(operator.database)
    assert text_of(operator.runtime, "progress")[0] == "ok"


def test_work_that_does_not_go_on_for_longer_than_a_batch_may_take_fails(operator: Operator) -> None:
    harness = harness_of(operator.database, 3)
    harness.finish(harness.claim(next(iter(harness.campaign.config.stages)), limit=1))
    alive(operator.database)
    with operator.database.engine.begin() as connection:
        connection.execute(update(jobs).values(created_at=jobs.c.created_at - 7200))
        connection.execute(update(attempts).values(ended_at=attempts.c.ended_at - 7200))
        connection.execute(update(workers).values(started_at=workers.c.started_at - 7200, trouble="the model is gone"))

    state, text = text_of(operator.runtime, "progress")

    assert state == "fail"
    assert "nothing was done for 2 h: the model is gone" in text
    harness.claim(next(iter(harness.campaign.config.stages)))
    assert text_of(operator.runtime, "progress")[0] == "warn"
    with operator.database.engine.begin() as connection:
        connection.execute(update(leases).values(claimed_at=leases.c.claimed_at - 7200))
    assert text_of(operator.runtime, "progress")[0] == "fail"


def plan_with(database: Database, **models: Any) -> None:
    """A campaign of real backends that waits for these models."""
    artworks_of(database, 1)
    sections = {
        "caption": {"backend": "blip2", "model": models.get("caption", "local:captioner")},
        "level": {"moderate": {"backend": "sdxl", "model": models.get("generate", "local:refiner"), "strength": 0.4}},
        "models_directory": models.get("directory", ""),
    }
    plan_campaign(database, open_campaign(database, "real", CampaignConfig.model_validate(sections)), Selection())


def test_models_that_an_open_campaign_needs_are_looked_for(sqlite_operator: Operator, tmp_path: Path) -> None:
    plan_with(sqlite_operator.database, directory="pocket")
    assert text_of(sqlite_operator.runtime, "models") == ("ok", "2 needed, all within reach; ")

    moved = sqlite_operator.runtime.settings.model_copy(update={"models": tmp_path / "nowhere"})
    state, text = text_of(Runtime(moved), "models")
    assert state == "fail"
    assert f"there is no folder {tmp_path / 'nowhere/captioner'}" in text


@pytest.mark.parametrize(
    ("model", "environment", "expected"),
    [
        ("known/captioner", {}, ("ok", "")),
        ("unknown/captioner", {}, ("fail", "the hub has no unknown/captioner at revision main")),
        ("gated/captioner", {}, ("fail", "there is no HF_TOKEN (HTTP 401)")),
        ("gated/captioner", {"HF_TOKEN": "hf_wrong"}, ("fail", "HF_TOKEN has no access")),
        ("gated/captioner", {"HF_TOKEN": TOKEN}, ("ok", "")),
        ("known/captioner", {"HF_HUB_OFFLINE": "1"}, ("fail", "HF_HUB_OFFLINE forbids to fetch it")),
        ("known/captioner", {"HF_ENDPOINT": "http://127.0.0.1:1"}, ("fail", "cannot be reached")),
    ],
)
def test_a_model_of_the_hub_is_reached_or_not(
    sqlite_operator: Operator, monkeypatch: pytest.MonkeyPatch, model: str, environment: dict[str, str], expected: tuple[str, str]
) -> None:
    plan_with(sqlite_operator.database, caption=model, generate="local:refiner", directory="pocket")
    with running_hub() as endpoint:
        for name, value in {"HF_ENDPOINT": endpoint, **environment}.items():
            monkeypatch.setenv(name, value)
        found, text = text_of(sqlite_operator.runtime, "models")

    state, cause = expected
    assert found == state, text
    assert cause in text
    assert "hf_" not in text


def test_a_model_in_the_cache_needs_no_hub(sqlite_operator: Operator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan_with(sqlite_operator.database, caption="known/captioner", directory="pocket")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = tmp_path / "hf/hub/models--known--captioner"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs/main").write_text("abc")
    (folder / "snapshots/abc").mkdir(parents=True)
    (folder / "snapshots/abc/model.safetensors").symlink_to(folder / "blobs/gone")
    assert text_of(sqlite_operator.runtime, "models")[0] == "fail"

    (folder / "blobs").mkdir()
    (folder / "blobs/gone").write_bytes(b"weights")

    assert text_of(sqlite_operator.runtime, "models")[0] == "ok"
