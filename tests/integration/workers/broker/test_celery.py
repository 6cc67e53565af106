from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from celery import Celery
from flower.utils.broker import Broker as FlowersBroker

from workers.broker import EmbeddedBroker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORKER = """
import sys
from celery import Celery
app = Celery("wake-ups", broker=sys.argv[1])
app.worker_main(["worker", "--pool=threads", "--concurrency=2", "--hostname=one@here", "--loglevel=ERROR"])
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Celery]:
    """A Celery app on an embedded broker."""
    with EmbeddedBroker(tmp_path / "broker") as broker, Celery("wake-ups", broker=broker.url, set_as_current=False) as app:
        yield app


@pytest.mark.slow(reason="starts a worker")
def test_a_worker_on_the_socket_answers_remote_control(app: Celery) -> None:
    worker = subprocess.Popen([sys.executable, "-W", "ignore", "-c", WORKER, app.conf.broker_url], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not (answers := app.control.inspect(timeout=0.5).ping()):
            assert time.monotonic() < deadline
        assert answers == {"one@here": {"ok": "pong"}}
    finally:
        worker.terminate()
        assert worker.wait() == 0


def test_events_arrive_singly_from_one_message_of_many(app: Celery) -> None:
    seen: list[tuple[str, str]] = []

    def note(event: dict[str, Any]) -> None:
        seen.append((event["type"], event["uuid"]))

    with app.connection_for_read() as reader, app.connection_for_write() as writer:
        receiver = app.events.Receiver(reader, handlers={"*": note})
        with (
            receiver.consumer_context() as (listening, _, _),
            app.events.Dispatcher(writer, hostname="one@here", buffer_group={"task"}) as dispatcher,
        ):
            with contextlib.suppress(TimeoutError):
                listening.drain_events(timeout=0.1)  # kombu subscribes at its first look
            for job in ("a", "b", "c"):
                dispatcher.send("task-received", uuid=job, name="caption")
            dispatcher.flush()
            listening.drain_events(timeout=10)
    assert seen == [("task-received", "a"), ("task-received", "b"), ("task-received", "c")]


def test_flower_reads_the_depth_of_a_queue_through_the_socket(app: Celery) -> None:
    for _ in range(3):
        app.send_task("wake-up", queue="caption")

    async def depths() -> list[dict[str, Any]]:
        return await FlowersBroker(app.conf.broker_url).queues(["caption", "prompt"])  # type: ignore[no-any-return]

    assert asyncio.run(depths()) == [{"name": "caption", "messages": 3}, {"name": "prompt", "messages": 0}]
