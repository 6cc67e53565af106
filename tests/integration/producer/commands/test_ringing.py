from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from db.house import House
from db.settings import Settings
from db.vocabulary import Stage
from producer.ringing import ring_for_ready
from tests.builders import trial_of
from workers.app import create_app
from workers.bell import Bell
from workers.broker import EmbeddedBroker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine


@pytest.fixture
def house(sqlite_database: Engine, tmp_path: Path) -> Iterator[House]:
    house = _house(sqlite_database, tmp_path, broker_url="")
    yield house
    house.engine.dispose()


def _house(engine: Engine, tmp_path: Path, *, broker_url: str) -> House:
    url = engine.url.render_as_string(hide_password=False)
    return House(Settings.model_validate({"data_dir": tmp_path / "data", "database_url": url, "broker_url": broker_url}))


def _depths(url: str) -> dict[Stage, int]:
    with create_app(url) as app:
        return Bell(app).depths(list(Stage))


def test_only_stages_with_work_are_rung(sqlite_database: Engine, tmp_path: Path, broker_url: str) -> None:
    house = _house(sqlite_database, tmp_path, broker_url=broker_url)
    trial = trial_of(house.engine, 3)
    trial.finish(trial.claim(Stage.CAPTION, limit=1))
    assert ring_for_ready(house) == 4
    assert _depths(broker_url) == {Stage.CAPTION: 2, Stage.PROMPT: 2, Stage.GENERATE: 0, Stage.RECAPTION: 0}
    assert ring_for_ready(house) == 0, "queues are topped up, not filled"
    house.engine.dispose()


def test_where_no_broker_runs_none_is_started(house: House) -> None:
    trial_of(house.engine, 1)
    assert ring_for_ready(house) == 0
    assert not (house.settings.data_dir / "broker").exists()


def test_an_embedded_broker_that_runs_is_rung(house: House) -> None:
    trial_of(house.engine, 1)
    with EmbeddedBroker(house.settings.data_dir / "broker") as broker:
        assert ring_for_ready(house) == 2
        assert _depths(broker.url)[Stage.CAPTION] == 2


def test_a_broker_that_is_away_fails_no_command(sqlite_database: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    house = _house(sqlite_database, tmp_path, broker_url="redis://somebody:secret@127.0.0.1:1/0")
    trial_of(house.engine, 1)
    with caplog.at_level(logging.WARNING):
        assert ring_for_ready(house) == 0
    assert "no broker answers" in caplog.text
    assert "secret" not in caplog.text
    house.engine.dispose()


def test_a_broker_url_that_means_nothing_fails_no_command(
    sqlite_database: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house = _house(sqlite_database, tmp_path, broker_url="carrierpigeon://secret@coop")
    trial_of(house.engine, 1)
    assert ring_for_ready(house) == 0
    assert "workers find their work by themselves" in caplog.text
    assert "secret" not in caplog.text
    house.engine.dispose()
