from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from db.enums import Stage
from tests.integration.workers.scripted import Scripted, scripted
from workers.backends.errors import BadRequest, TransientFailure
from workers.wake_ups.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from celery.events.state import State

    from db.jobs.inputs import CaptionInput
    from tests.integration.workers.conftest import WorkerHarness

Backends = dict[str, type[Scripted]]


class Receiver:
    """What Flower does: Celery's own event receiver, beside a count of raw messages."""

    def __init__(self, url: str) -> None:
        self._app = create_app(url)
        self.events: list[dict[str, Any]] = []
        self.messages = 0
        self.state: State = self._app.events.State()
        self._ready, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()
        assert self._ready.wait(20)

    def _receive(self) -> None:
        with self._app.connection_for_read() as connection:
            receiver = self._app.events.Receiver(connection, handlers={"*": self._note})
            receive = receiver._receive

            def count(body: Any, message: Any) -> None:
                self.messages += 1
                receive(body, message)

            receiver._receive = count
            with receiver.consumer_context() as (own, _, _):
                with contextlib.suppress(TimeoutError):
                    own.drain_events(timeout=0.1)  # kombu subscribes at its first look
                self._ready.set()
                while not self._stop.is_set():
                    with contextlib.suppress(TimeoutError):
                        own.drain_events(timeout=0.05)

    def _note(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        self.state.event(event)

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + 20
        while len(self.events) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.2)  # one too many would come now

    def lives(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for event in self.events:
            found[event["uuid"]].append(event["type"].removeprefix("task-"))
        return dict(found)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)
        self._app.close()


@pytest.fixture
def receiver(broker_url: str) -> Iterator[Receiver]:
    receiver = Receiver(broker_url)
    yield receiver
    receiver.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_each_jobs_life_arrives_in_order_with_few_messages(
    fleet: WorkerHarness, backends: Backends, broker_url: str, receiver: Receiver
) -> None:
    def run(batch: Sequence[CaptionInput]) -> None:
        bad = {job.key[-1] for job in batch} & {"2", "5"}
        if bad and len(batch) == 1:
            raise BadRequest("no such image") if bad == {"2"} else TransientFailure("try later")
        if bad:
            raise ValueError("one of us")

    backends["touchy"] = scripted(run=run)
    harness = fleet.harness(8, backend="touchy", batch=4)
    worker = fleet.worker(stages=[Stage.CAPTION], broker=broker_url)
    worker._context.task_events.start()

    worker.on_wake_up()
    worker._context.task_events.stop()
    receiver.wait_for(24)

    keys = {row["artwork_id"]: row["job_key"] for row in harness.jobs(Stage.CAPTION)}
    ends = {2: "failed", 5: "retried"}
    assert receiver.lives() == {key: ["received", "started", ends.get(number, "succeeded")] for number, key in enumerate(keys.values())}
    # Two batches in three phases; phases close together share a message.
    assert 1 <= receiver.messages <= 6
    assert len({event["timestamp"] for event in receiver.events}) > 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_celery_makes_of_the_events_is_what_flower_shows(
    fleet: WorkerHarness, backends: Backends, broker_url: str, receiver: Receiver
) -> None:
    def run(batch: Sequence[CaptionInput]) -> None:
        if batch[0].key.endswith("1"):
            raise BadRequest("no such image")

    backends["touchy"] = scripted(run=run)
    harness = fleet.harness(2, backend="touchy", batch=1)
    worker = fleet.worker(stages=[Stage.CAPTION], broker=broker_url)
    worker._context.task_events.start()

    worker.on_wake_up()
    worker._context.task_events.stop()
    receiver.wait_for(6)

    sound, bad = (receiver.state.tasks[row["job_key"]] for row in harness.jobs(Stage.CAPTION))
    assert (sound.name, sound.state, sound.worker.hostname) == ("caption", "SUCCESS", worker.identity.worker_id)
    assert sound.args.startswith("('painter-0_work-00000'")
    assert sound.runtime >= 0
    assert (bad.state, bad.exception) == ("FAILURE", "input: BadRequest: no such image")
    assert receiver.state.task_count == 2


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_work_goes_on_without_a_broker(fleet: WorkerHarness) -> None:
    harness = fleet.harness(3)
    worker = fleet.worker(broker="redis://127.0.0.1:9/0", look_seconds=0.05)
    worker.start()
    try:
        deadline = time.monotonic() + 30
        while harness.states(Stage.RECAPTION) != {"done": 3}:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        fleet.stop.set()
        worker.close()
