"""A broker that dies, a model that is missing: nothing is lost, and `status` and the log name the cause."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import psutil
import pytest
import redis

from db.tables import attempts, workers
from tests.acceptance.installation import FAST_POLLING, FAST_RECOVERY, until
from tests.acceptance.queries import assert_complete, rows, states
from tests.acceptance.sample_images import write_images

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.installation import Installation

pytestmark = pytest.mark.timeout(600)


def test_work_goes_on_to_its_end_when_the_broker_is_flushed_and_killed(embedded_installation: Installation) -> None:
    installation = embedded_installation.on(embedded_installation.directory, **FAST_POLLING)
    installation.plan(20, repaint={"seconds_per_batch": 0.5})
    with installation.working("--until-idle") as fleet:
        until(partial(_repainted, installation, at_least=4), what="it is in the middle")
        with redis.Redis(unix_socket_path=str(installation.directory / "broker/broker.sock")) as broker:
            broker.flushall()
        until(partial(_repainted, installation, at_least=12), what="it went on")
        psutil.Process(int((installation.directory / "broker/server.pid").read_text().split()[0])).kill()
        assert fleet.wait() == 0, fleet.output
    assert_complete(installation, repaints=20)
    assert {row["outcome"] for row in rows(installation, attempts)} == {"done"}


def _repainted(installation: Installation, *, at_least: int) -> bool:
    return states(installation, "generate")["done"] >= at_least


def _reports_trouble(installation: Installation) -> bool:
    return any("nowhere" in (row["trouble"] or "") and row["stopped_at"] is None for row in rows(installation, workers))


def test_a_missing_model_is_named_and_nothing_is_lost(installation: Installation, tmp_path: Path, tiny_models: Path) -> None:
    # Given a campaign whose models this host does not have
    write_images(tmp_path / "originals", 3)
    installation.output_of("ingest", tmp_path / "originals")
    assert installation.json_of("enqueue", "--models", tiny_models)["jobs"] == 3 * 7
    elsewhere = installation.on(installation.directory, PARAGONE_MODELS=str(tmp_path / "nowhere"), **FAST_RECOVERY)

    # When it is worked on, then the run ends as failed with one clear line
    with elsewhere.working("--until-idle") as fleet:
        assert fleet.wait() == 1
        lines = [line for line in fleet.output.splitlines() if "nowhere" in line]
        assert lines
        assert len({line.split(": ", 1)[1] for line in lines}) == 1, "one cause, one line"
        assert "Traceback" not in fleet.output
    assert states(installation) == {"ready": 3, "waiting": 18}
    assert rows(installation, attempts) == []

    # And while a worker stays, status names the cause
    with elsewhere.working() as fleet:
        until(partial(_reports_trouble, installation), what="it reports its trouble")
        assert len([reason for reason in installation.json_of("status")["stuck"] if "nowhere" in reason]) == 1
        assert fleet.stop() == 0, fleet.output
    assert states(installation) == {"ready": 3, "waiting": 18}
