"""What Flower is told again of its past, and the pages that Paragone changes, with Flower's own classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import prometheus_client
import pytest
from flower.events import EventsState

from db.enums import AttemptOutcome
from db.errors import DatabaseUnavailable
from db.monitoring.attempt_history import PastAttempt
from producer import flower_history
from producer.errors import WrongUse
from producer.flower_handlers import clean_prefix
from producer.flower_history import FlowerHistory, events_of

if TYPE_CHECKING:
    from db.engine import Database

PAST = PastAttempt(
    job="c1-a1-v1-generate",
    stage="generate",
    artwork="monet_lilies",
    level="radical",
    worker_id="gpu0-ab@here",
    worker_ended=False,
    earlier=0,
    outcome=AttemptOutcome.DONE,
    error="",
    gave_up=False,
    claimed_at=None,
    started_at=1_000.0,
    ended_at=1_002.5,
    seconds=0.5,
)
FAILED = replace(PAST, job="c1-a2-v2-generate", outcome=AttemptOutcome.FAILED, error="input: truncated", gave_up=True)
RETRIED = replace(FAILED, job="c1-a3-v3-generate", gave_up=False)
UNDER_WAY = replace(
    PAST, job="c1-a4-v4-generate", outcome=None, claimed_at=1_001.0, started_at=None, ended_at=None, worker_id="gpu1-cd@here"
)


@pytest.fixture
def state() -> EventsState:
    return EventsState(max_tasks_in_memory=100, max_workers_in_memory=100)


class Histories:
    """Stands in for the database: one history after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *histories: list[PastAttempt]) -> None:
        self._left = list(histories)
        monkeypatch.setattr(flower_history, "latest_attempts", lambda _database, _limit: self._left.pop(0))

    def database(self) -> Database:
        return None  # type: ignore[return-value]


def test_each_attempt_is_a_task_with_its_own_times(state: EventsState, monkeypatch: pytest.MonkeyPatch) -> None:
    histories = Histories(monkeypatch, [PAST, FAILED, RETRIED, UNDER_WAY])
    FlowerHistory(state, histories.database, limit=10).tell()

    done, failed, retried, under_way = (state.tasks[one.job] for one in (PAST, FAILED, RETRIED, UNDER_WAY))
    assert (done.state, done.name, done.args, done.runtime) == ("SUCCESS", "generate", "('monet_lilies', 'radical')", 2.5)
    assert (done.received, done.started, done.succeeded, done.worker.hostname) == (1_000.0, 1_000.0, 1_002.5, "gpu0-ab@here")
    assert (failed.state, failed.exception, failed.failed) == ("FAILURE", "input: truncated", 1_002.5)
    assert retried.state == "RETRY"
    assert (under_way.state, under_way.received, under_way.started) == ("RECEIVED", 1_001.0, None)


def test_an_attempt_whose_start_nobody_recorded_has_no_runtime() -> None:
    events = list(events_of(replace(PAST, started_at=None)))
    assert [event["type"] for event in events] == ["task-received", "task-succeeded"]
    assert "runtime" not in events[1]


def test_what_is_told_again_is_not_counted_in_the_metrics(state: EventsState, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _counters()
    metrics = state.metrics
    FlowerHistory(state, Histories(monkeypatch, [PAST, replace(FAILED, worker_ended=True)]).database, limit=10).tell()
    assert _counters() == before
    assert state.metrics is metrics


def _counters() -> list[str]:
    return [line for line in prometheus_client.generate_latest().decode().splitlines() if line.startswith("flower_")]


def test_a_second_look_tells_what_ended_meanwhile_and_nothing_twice(state: EventsState, monkeypatch: pytest.MonkeyPatch) -> None:
    live = replace(PAST, job="c1-a5-v5-generate")
    ended = replace(UNDER_WAY, outcome=AttemptOutcome.DONE, started_at=1_001.5, ended_at=1_003.0)
    history = FlowerHistory(state, Histories(monkeypatch, [PAST, UNDER_WAY], [PAST, live, ended]).database, limit=10)
    history.tell()
    for event in events_of(replace(live, ended_at=1_009.0)):  # its worker told it meanwhile
        state.event(event)
    count = state.event_count

    history.tell()

    assert state.tasks[ended.job].state == "SUCCESS"
    assert state.tasks[live.job].succeeded == 1_009.0
    assert state.event_count == count + 3


def test_a_second_look_leaves_a_task_to_its_worker_whose_last_event_is_still_on_its_way(
    state: EventsState, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_database = replace(PAST, job="c1-a5-v5-generate")
    history = FlowerHistory(state, Histories(monkeypatch, [PAST], [PAST, in_the_database]).database, limit=10)
    history.tell()
    *under_way, succeeded = events_of(replace(in_the_database, started_at=1_001.004, ended_at=1_009.0))
    for event in under_way:
        state.event(event)

    history.tell()
    state.event(succeeded)

    task = state.tasks[in_the_database.job]
    assert task.runtime == pytest.approx(task.succeeded - task.started)
    assert task.started == 1_001.004


def test_a_worker_that_has_ended_is_offline_however_fresh_its_last_job(state: EventsState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celery.events.state.Worker.expire_window", 10**12)
    ended = replace(PAST, job="c1-a9-v9-generate", worker_id="gpu9-ef@here", worker_ended=True)
    FlowerHistory(state, Histories(monkeypatch, [PAST, ended]).database, limit=10).tell()
    assert {name: worker.alive for name, worker in state.workers.items()} == {"gpu0-ab@here": True, "gpu9-ef@here": False}


def test_without_a_database_flower_goes_on_without_history(
    state: EventsState, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> Database:
        raise DatabaseUnavailable("the database does not answer")

    FlowerHistory(state, away, limit=10).tell()
    assert caplog.messages == ["Flower does without the history in the database: the database does not answer"]
    FlowerHistory(state, away, limit=0).tell()
    assert len(caplog.messages) == 1, "no history is wanted"


@pytest.mark.parametrize(("given", "clean"), [("", ""), ("/", ""), ("flower", "flower"), ("/tools/flower-1/", "tools/flower-1")])
def test_a_prefix_is_taken_with_and_without_its_slashes(given: str, clean: str) -> None:
    assert clean_prefix(given) == clean


@pytest.mark.parametrize("given", ["a b", "a//b", "../x", "a?b", "(", "a.b"])
def test_a_prefix_that_is_no_path_is_refused(given: str) -> None:
    with pytest.raises(WrongUse, match="cannot be used: letters, digits"):
        clean_prefix(given)
