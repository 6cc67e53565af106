from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from kombu import Connection, Exchange, Queue

from db.enums import Stage
from db.jobs.batch_keys import Parameters
from db.jobs.claim import Batch, ClaimedJob
from db.jobs.inputs import CaptionInput, MissingInput, MissingReason, PromptInput
from workers import task_events as task_events_module
from workers.task_events import TaskEventSender
from workers.wake_ups.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.jobs.inputs import JobInput

PARAMETERS = Parameters(backend="fake-none", model="", revision="main", dtype="auto", batch=8, models_directory="", settings={}, picture={})


def batch_of(count: int, stage: Stage = Stage.GENERATE) -> Batch:
    jobs = tuple(
        ClaimedJob(job_id=number, job_key=f"c1/a{number}/{stage}", artwork_id=number, variation_id=number, attempts=number, suspect=False)
        for number in range(count)
    )
    return Batch(
        token=f"token of {stage}",
        worker_id="w",
        batch_key="c1/generate/radical",
        campaign_id=1,
        stage=stage,
        parameters=PARAMETERS,
        jobs=jobs,
    )


def missing(job: ClaimedJob) -> MissingInput:
    return MissingInput(job_id=job.job_id, artwork_id=job.artwork_id, reason=MissingReason.SUPERSEDED)


class Listener:
    """Takes raw event messages from an in-memory broker."""

    def __init__(self, url: str) -> None:
        self._connection = Connection(url)
        self.messages: list[list[dict[str, Any]]] = []
        queue = Queue("listener", Exchange("celeryev", type="topic"), routing_key="#", auto_delete=True)
        self._consumer = self._connection.Consumer([queue], callbacks=[self._take], accept=["json"], no_ack=True)
        self._consumer.consume()

    def _take(self, body: list[dict[str, Any]], message: Any) -> None:
        assert message.delivery_info["routing_key"] == "task.multi"
        self.messages.append(body)

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """The first `count` events."""
        deadline = time.monotonic() + 20
        while sum(map(len, self.messages)) < count and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self._connection.drain_events(timeout=0.2)
        return [event for message in self.messages for event in message]

    def close(self) -> None:
        self._consumer.cancel()
        self._connection.release()


@pytest.fixture
def url() -> str:
    """A broker within this process, empty and for one test."""
    return f"memory://{uuid.uuid4().hex}/"


@pytest.fixture
def listener(url: str) -> Iterator[Listener]:
    listener = Listener(url)
    yield listener
    listener.close()


@pytest.fixture
def task_events(url: str, listener: Listener) -> TaskEventSender:
    return TaskEventSender(create_app(url), hostname="gpu0-ab12@host")


def test_a_received_job_shows_stage_artwork_and_level(task_events: TaskEventSender, listener: Listener) -> None:
    facts: Any = {"artist": "", "title": "", "style": "", "seed": 1, "caption": "a pond"}
    inputs: list[JobInput | MissingInput] = [
        PromptInput(job_id=0, artwork_id=0, key="monet_lilies", level="radical", **facts),
        MissingInput(job_id=1, artwork_id=9, reason=MissingReason.SUPERSEDED),
        CaptionInput(job_id=2, artwork_id=3, key="monet_poppies", content_hash="f" * 64, link=None),
    ]
    task_events.received(batch_of(3), inputs)
    task_events.start()

    first, second, third = listener.wait_for(3)

    assert (first["type"], first["uuid"], first["name"]) == ("task-received", "c1/a0/generate", "generate")
    assert (first["args"], first["kwargs"], first["retries"]) == ("('monet_lilies', 'radical')", "{}", 0)
    assert (second["uuid"], second["args"], second["retries"]) == ("c1/a1/generate", "('artwork 9',)", 1)
    assert third["args"] == "('monet_poppies',)"
    task_events.stop()


def test_every_event_names_worker_process_and_time(task_events: TaskEventSender, listener: Listener) -> None:
    before = time.time()
    task_events.started(batch_of(2))
    task_events.start()

    events = listener.wait_for(2)

    for event in events:
        assert (event["hostname"], event["pid"]) == ("gpu0-ab12@host", os.getpid())
        assert event["root_id"] == event["uuid"]
        assert event["parent_id"] is None
        assert before <= event["timestamp"] <= time.time()
        assert event["clock"] > 0
        assert -14 <= event["utcoffset"] <= 14
    task_events.stop()


def test_success_failure_and_retry_have_the_shapes_that_flower_reads(task_events: TaskEventSender, listener: Listener) -> None:
    batch = batch_of(3)
    task_events.succeeded(batch.jobs[:1], stage=Stage.GENERATE, started_at=time.time() - 1.25, device_seconds=0.25)
    task_events.failed(batch.jobs[1], stage=Stage.GENERATE, error="input: the image is broken", again=False)
    task_events.failed(batch.jobs[2], stage=Stage.GENERATE, error="oom: full", again=True)
    task_events.start()

    done, failed, retried = listener.wait_for(3)

    assert (done["type"], done["result"]) == ("task-succeeded", "its share of its batch: 0.250 s")
    assert 1.25 <= done["runtime"] < 30
    assert {event["name"] for event in (done, failed, retried)} == {"generate"}
    assert (failed["type"], failed["exception"], failed["traceback"]) == ("task-failed", "input: the image is broken", None)
    assert (retried["type"], retried["exception"]) == ("task-retried", "oom: full")
    assert json.dumps([done, failed, retried])
    task_events.stop()


def test_the_runtime_is_the_time_between_the_start_and_the_success_that_are_told(task_events: TaskEventSender, listener: Listener) -> None:
    batch = batch_of(3)
    task_events.start()
    started_at = task_events.started(batch)
    listener.wait_for(3)
    task_events.succeeded(batch.jobs, stage=batch.stage, started_at=started_at, device_seconds=0.1)

    events = listener.wait_for(6)

    for start, success in zip(events[:3], events[3:], strict=True):
        assert success["runtime"] == success["timestamp"] - start["timestamp"] > 0
    task_events.stop()


def test_what_happens_at_about_the_same_time_is_one_message_in_order(task_events: TaskEventSender, listener: Listener) -> None:
    batch = batch_of(8)
    task_events.received(batch, [missing(job) for job in batch.jobs])
    task_events.started(batch)
    task_events.start()

    events = listener.wait_for(16)

    assert len(listener.messages) == 1
    assert [event["type"] for event in events] == ["task-received"] * 8 + ["task-started"] * 8
    assert len({event["clock"] for event in events}) == 1
    task_events.stop()


def test_later_messages_have_a_later_clock(task_events: TaskEventSender, listener: Listener) -> None:
    task_events.start()
    task_events.started(batch_of(1))
    listener.wait_for(1)
    task_events.succeeded(batch_of(1).jobs, stage=Stage.GENERATE, started_at=time.time(), device_seconds=0.0)

    first, second = listener.wait_for(2)

    assert second["clock"] > first["clock"]
    task_events.stop()


def test_stopping_sends_what_is_left(task_events: TaskEventSender, listener: Listener) -> None:
    task_events.start()
    task_events.started(batch_of(3))
    task_events.stop()

    assert len(listener.wait_for(3)) == 3
    assert not task_events._thread.is_alive()


def test_a_broker_that_is_gone_holds_up_nobody_and_the_newest_events_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_events_module, "MOST_WAITING", 3)
    task_events = TaskEventSender(create_app("memory://"), hostname="w")  # never started: nothing leaves the queue
    began = time.monotonic()

    for number in range(50):
        task_events.started(batch_of(number + 1))

    assert time.monotonic() - began < 5
    kept = [task_events._waiting.get_nowait() for _ in range(task_events._waiting.qsize())]
    assert [len(events or []) for events in kept] == [48, 49, 50]
