from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from db.enums import Stage
from db.runtime import Runtime
from db.settings import Settings
from producer.notify import notify_ready
from tests.builders import harness_of
from workers.broker import EmbeddedBroker
from workers.wake_ups.app import create_app
from workers.wake_ups.notifier import Notifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from db.engine import Database


@pytest.fixture
def runtime(sqlite_database: Database, tmp_path: Path) -> Iterator[Runtime]:
    runtime = _runtime(sqlite_database, tmp_path, broker_url="")
    yield runtime
    runtime.database.dispose()


def _runtime(database: Database, tmp_path: Path, *, broker_url: str) -> Runtime:
    url = database.engine.url.render_as_string(hide_password=False)
    return Runtime(Settings.model_validate({"data_dir": tmp_path / "data", "database_url": url, "broker_url": broker_url}))


def _depths(url: str) -> dict[Stage, int]:
    with create_app(url) as app:
        return Notifier(app).depths(list(Stage))


def test_only_workers_of_stages_with_ready_jobs_are_woken(sqlite_database: Database, tmp_path: Path, broker_url: str) -> None:
    runtime = _runtime(sqlite_database, tmp_path, broker_url=broker_url)
    harness = harness_of(runtime.database, 3)
    harness.finish(harness.claim(Stage.CAPTION, limit=1))
    assert notify_ready(runtime) == 4
    assert _depths(broker_url) == {Stage.CAPTION: 2, Stage.PROMPT: 2, Stage.GENERATE: 0, Stage.RECAPTION: 0}
    assert notify_ready(runtime) == 0, "queues are topped up, not filled"
    runtime.database.dispose()


def test_a_command_that_wakes_workers_starts_no_broker(runtime: Runtime) -> None:
    harness_of(runtime.database, 1)
    assert notify_ready(runtime) == 0
    assert not (runtime.settings.data_dir / "broker").exists()


def test_wake_ups_reach_a_running_embedded_broker(runtime: Runtime) -> None:
    harness_of(runtime.database, 1)
    with EmbeddedBroker(runtime.settings.data_dir / "broker") as broker:
        assert notify_ready(runtime) == 2
        assert _depths(broker.url)[Stage.CAPTION] == 2


def test_an_unavailable_broker_fails_no_command(sqlite_database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    runtime = _runtime(sqlite_database, tmp_path, broker_url="redis://somebody:secret@127.0.0.1:1/0")
    harness_of(runtime.database, 1)
    with caplog.at_level(logging.WARNING):
        assert notify_ready(runtime) == 0
    assert "no broker answers" in caplog.text
    assert "secret" not in caplog.text
    runtime.database.dispose()


def test_an_unusable_broker_url_fails_no_command(sqlite_database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    runtime = _runtime(sqlite_database, tmp_path, broker_url="carrierpigeon://secret@coop")
    harness_of(runtime.database, 1)
    assert notify_ready(runtime) == 0
    assert "workers find their jobs by polling" in caplog.text
    assert "secret" not in caplog.text
    runtime.database.dispose()
