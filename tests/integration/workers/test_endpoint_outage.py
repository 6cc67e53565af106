"""A service that a backend asks does not answer: its jobs wait without an attempt, and one batch now and then tries whether it is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.enums import Stage
from db.tables import attempts, leases
from tests.integration.workers.conftest import WorkerHarness, wait_for
from tests.integration.workers.scripted import Scripted, scripted
from workers import outages
from workers import worker as worker_module
from workers.backends.errors import EndpointUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from tests.builders import CampaignHarness

Backends = dict[str, type[Scripted]]
AWAY = "the endpoint https://llm.example.org/v1 is unavailable: 503 Service Unavailable"


class Service:
    """An endpoint that is away until the test says otherwise."""

    away = True
    asked = 0

    def __call__(self, _: Sequence[Any]) -> None:
        self.asked += 1
        if self.away:
            raise EndpointUnavailable("https://llm.example.org/v1", "503 Service Unavailable")


@pytest.fixture
def service(backends: Backends, monkeypatch: pytest.MonkeyPatch) -> Service:
    service = Service()
    backends["llm"] = scripted(needs_device=False, run=service)
    monkeypatch.setattr(outages, "FIRST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(outages, "LONGEST_PAUSE_SECONDS", 0.4)
    return service


@pytest.fixture
def prompts(fleet: WorkerHarness, service: Service) -> CampaignHarness:
    """A campaign of 9 artworks whose prompts are written by the service, in batches of 3; its captions are done."""
    harness = fleet.harness(9, prompt={"backend": "llm", "batch": 3})
    harness.run(Stage.CAPTION)
    return harness


def test_its_jobs_go_back_without_an_attempt_and_nothing_more_of_them_is_claimed(
    fleet: WorkerHarness, prompts: CampaignHarness, service: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "FIRST_PAUSE_SECONDS", 60.0)
    done = len(prompts.rows(attempts))
    worker = fleet.worker()

    worker.on_wake_up()
    worker.on_wake_up()

    assert service.asked == 1, "it is neither bisected nor asked by the next batch"
    assert prompts.states(Stage.PROMPT) == {"ready": 9}
    assert {(row["attempt_count"], row["error_kind"]) for row in prompts.jobs(Stage.PROMPT)} == {(0, None)}
    assert len(prompts.rows(attempts)) == done
    assert prompts.rows(leases) == []
    assert worker._context.outages.troubles == [AWAY]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_other_keys_go_on(fleet: WorkerHarness, prompts: CampaignHarness, service: Service) -> None:
    other = fleet.harness(name="other")

    fleet.worker().on_wake_up()

    assert other.counts() == {str(stage): {"done": 9} for stage in Stage}
    assert prompts.states(Stage.PROMPT) == {"ready": 9}


def test_one_batch_now_and_then_tries_it_and_work_goes_on_when_it_is_back(
    fleet: WorkerHarness, prompts: CampaignHarness, service: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "PROBE_SECONDS", 0.05)
    worker = fleet.worker(look_seconds=0.02)
    worker.start()
    try:
        wait_for(lambda: service.asked >= 4)
        assert prompts.states(Stage.PROMPT).get("done") is None
        assert {row["attempt_count"] for row in prompts.jobs(Stage.PROMPT)} == {0}
        service.away = False
        wait_for(lambda: prompts.counts() == {str(stage): {"done": 9} for stage in Stage})
    finally:
        worker.close()

    assert worker._context.outages.troubles == []
    assert prompts.outcomes() == {"done": 36}
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert lines[1].startswith("the endpoint https://llm.example.org/v1 is back after ")
