"""A broker that vanishes, a model that is not there: the record stays whole and says what is the matter."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import psutil
import pytest
import redis

from db.tables import attempts, workers
from tests.acceptance.installation import HASTE, QUICK, until
from tests.acceptance.pictures import paint
from tests.acceptance.recipe import fake_campaign
from tests.acceptance.record import check_whole, rows, states

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.installation import Installation

pytestmark = pytest.mark.timeout(600)


def test_work_goes_on_to_its_end_when_the_broker_forgets_everything_and_when_it_is_killed(embedded: Installation, tmp_path: Path) -> None:
    installation = embedded.on(embedded.directory, **QUICK)
    paint(tmp_path / "pictures", 20)
    installation.output_of("ingest", tmp_path / "pictures")
    installation.output_of("enqueue", "--config", fake_campaign(tmp_path / "plan.toml", repaint={"seconds_per_batch": 0.5}))
    with installation.working("--until-idle") as fleet:
        until(partial(_painted, installation, at_least=4), what="it is in the middle")
        with redis.Redis(unix_socket_path=str(installation.directory / "broker/broker.sock")) as broker:
            broker.flushall()
        until(partial(_painted, installation, at_least=12), what="it went on")
        psutil.Process(int((installation.directory / "broker/server.pid").read_text().split()[0])).kill()
        assert fleet.ends() == 0, fleet.told
    check_whole(installation, repaints=20)
    assert {row["outcome"] for row in rows(installation, attempts)} == {"done"}
    installation.close()


def _painted(installation: Installation, *, at_least: int) -> bool:
    return states(installation, "generate")["done"] >= at_least


def test_a_model_that_is_not_there_is_named_and_nothing_is_lost(installation: Installation, tmp_path: Path, tiny_models: Path) -> None:
    # Given a campaign whose models this host does not have
    paint(tmp_path / "pictures", 3)
    installation.output_of("ingest", tmp_path / "pictures")
    assert installation.json_of("enqueue", "--models", tiny_models)["jobs"] == 3 * 7
    elsewhere = installation.on(installation.directory, PARAGONE_MODELS=str(tmp_path / "nowhere"), **HASTE)

    # When it is worked on, then the run ends as failed with one clear line
    with elsewhere.working("--until-idle") as fleet:
        assert fleet.ends() == 1
        lines = [line for line in fleet.told.splitlines() if "nowhere" in line]
        assert lines
        assert len({line.split(": ", 1)[1] for line in lines}) == 1, "one trouble, one line"
        assert "Traceback" not in fleet.told
    assert states(installation) == {"ready": 3, "waiting": 18}
    assert rows(installation, attempts) == []

    # And while a worker stays, status names the trouble
    with elsewhere.working() as fleet:
        until(lambda: any(row["trouble"] and row["stopped_at"] is None for row in rows(installation, workers)), what="it is in trouble")
        assert len([reason for reason in installation.json_of("status")["stuck"] if "nowhere" in reason]) == 1
        assert fleet.stops() == 0, fleet.told
    assert states(installation) == {"ready": 3, "waiting": 18}
