from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from db.enums import Stage
from tests.integration.workers.conftest import wait_for
from workers.wake_ups import consumer_keeper
from workers.wake_ups.app import create_app, queue_name, register_wake_up
from workers.wake_ups.consumer import Consumer
from workers.wake_ups.consumer_keeper import ConsumerKeeper
from workers.wake_ups.notifier import Notifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celery import Celery

    from tests.services.valkey import ValkeyServer

NAME = "cpu-0a1b2c3d@here"
CAPTIONS = queue_name(Stage.CAPTION)
THREADS = 2


class Listening:
    """A keeper that counts the wake-ups it hears."""

    def __init__(self, app: Celery) -> None:
        self.app = app
        self.heard = 0
        self.consumers = 0
        self.shut_down = threading.Event()
        self.free = True
        #: Wake-ups take until it is set.
        self.go_on = threading.Event()
        self.go_on.set()
        self._lock = threading.Lock()
        register_wake_up(app, self._answer)
        self.keeper = ConsumerKeeper(
            self._make,
            app=app,
            stages=list(Stage),
            wake_ups_wait=lambda: any(Notifier(app).depths(list(Stage)).values()),
            can_work=lambda: self.free,
            on_shutdown=self.shut_down.set,
        )

    def send(self, count: int = 1) -> None:
        for _ in range(count):
            self.app.send_task("paragone.wake_up", queue=CAPTIONS, ignore_result=True)

    def hears(self) -> bool:
        """Whether a wake-up that is sent now is heard soon."""
        before = self.heard
        self.send()
        deadline = time.monotonic() + 2
        while self.heard == before and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.heard > before

    def waiting(self) -> int:
        return Notifier(self.app).depths([Stage.CAPTION])[Stage.CAPTION]

    def _make(self) -> Consumer:
        self.consumers += 1
        return Consumer(self.app, worker_id=NAME, stages=list(Stage), threads=THREADS)

    def _answer(self) -> None:
        self.keeper.note_wake_up()
        with self._lock:
            self.heard += 1
        self.go_on.wait(60)


@contextmanager
def listening(url: str) -> Iterator[Listening]:
    with create_app(url) as app:
        one = Listening(app)
        one.keeper.start()
        try:
            yield one
        finally:
            one.go_on.set()
            one.keeper.leave()
            one.keeper.join(20)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer_keeper, "PAUSES", (0.2, 0.4))
    monkeypatch.setattr(consumer_keeper, "SETTLED_SECONDS", 0.5)
    monkeypatch.setattr(consumer_keeper, "LOOK_SECONDS", 0.05)


@pytest.fixture
def ears(broker_url: str) -> Iterator[Listening]:
    """A keeper on the shared broker that listens already."""
    with listening(broker_url) as ears:
        wait_for(ears.hears)
        yield ears


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == "workers.wake_ups.consumer_keeper"]


def test_it_answers_celerys_remote_control_from_its_thread(ears: Listening) -> None:
    inspect = ears.app.control.inspect(timeout=5, limit=1)

    assert inspect.ping() == {NAME: {"ok": "pong"}}
    (stats,) = inspect.stats().values()
    assert stats["pool"]["max-concurrency"] == THREADS


@pytest.mark.parametrize("item", ["garbage", "[1, 2]", "{}", '{"properties": {}}'])
def test_an_item_that_is_no_message_does_not_stop_the_work(own_valkey: ValkeyServer, item: str) -> None:
    with listening(own_valkey.url) as ears, own_valkey.client() as client:
        wait_for(ears.hears)

        client.lpush(CAPTIONS, item, item, item)

        wait_for(ears.hears)
        assert client.llen(CAPTIONS) == 0


def test_a_key_of_another_type_is_removed_and_nothing_else(own_valkey: ValkeyServer, caplog: pytest.LogCaptureFixture) -> None:
    with own_valkey.client() as client:
        client.set(CAPTIONS, "not a list")
        client.set("paragone", "somebody's")
        client.lpush("another.queue", "garbage")
        with listening(own_valkey.url) as ears:
            wait_for(lambda: client.type(CAPTIONS) != b"string")
            wait_for(ears.hears)
            wait_for(lambda: "heard again" in caplog.text)
        assert client.get("paragone") == b"somebody's"
        assert client.llen("another.queue") == 1

    gone, removed, back = lines(caplog)
    assert "no wake-ups are heard, work goes on" in gone
    assert "WRONGTYPE" in gone
    assert removed == f"removed from the broker what no worker can read: '{CAPTIONS}'"
    assert back == "wake-ups are heard again"


def test_a_broker_that_is_full_is_tried_until_it_has_room(own_valkey: ValkeyServer, caplog: pytest.LogCaptureFixture) -> None:
    with own_valkey.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        with listening(own_valkey.url) as ears:
            wait_for(lambda: ears.consumers >= 3)
            assert len(lines(caplog)) == 1
            assert "OutOfMemory" in caplog.text

            client.config_set("maxmemory", 0)

            wait_for(ears.hears)
            wait_for(lambda: len(lines(caplog)) == 2)
    assert "Traceback" not in caplog.text


def test_a_connection_that_is_cut_is_made_anew(own_valkey: ValkeyServer, caplog: pytest.LogCaptureFixture) -> None:
    with listening(own_valkey.url) as ears, own_valkey.client() as client:
        wait_for(ears.hears)
        time.sleep(0.8)

        client.client_kill_filter(_type="normal", skipme=True)
        client.client_kill_filter(_type="pubsub", skipme=True)

        wait_for(lambda: ears.consumers == 2)
        wait_for(ears.hears)
        wait_for(lambda: len(lines(caplog)) == 2)


def test_a_wake_up_under_way_goes_on_and_is_not_waited_for(own_valkey: ValkeyServer) -> None:
    with listening(own_valkey.url) as ears, own_valkey.client() as client:
        wait_for(ears.hears)
        # Given a thread that is at work for long
        ears.go_on.clear()
        ears.send()
        wait_for(lambda: ears.heard >= 2)

        # When the consumer meets something that it cannot read
        client.lpush(CAPTIONS, "garbage")
        wait_for(lambda: ears.consumers == 2)

        # Then the next consumer hears while that thread still works
        wait_for(ears.hears)


def test_a_deaf_consumer_is_replaced_though_it_answers_pings(
    ears: Listening, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(consumer_keeper, "DEAF_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(consumer_keeper, "DEAF_SECONDS", 1.0)
    time.sleep(1.5)
    assert ears.consumers == 1
    # Given one that no longer takes wake-ups, and is well otherwise
    assert ears.app.control.cancel_consumer(CAPTIONS, reply=True, timeout=10, limit=1)
    assert ears.app.control.inspect(timeout=10, limit=1).ping()

    ears.send()

    wait_for(lambda: ears.consumers >= 2)
    wait_for(ears.hears)
    assert "took no wake-ups although some waited" in caplog.text


def test_a_consumer_whose_worker_is_busy_or_whose_queues_are_empty_is_not_deaf(ears: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer_keeper, "DEAF_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(consumer_keeper, "DEAF_SECONDS", 0.5)
    time.sleep(1.5)  # nothing waits
    ears.free = False
    ears.go_on.clear()
    ears.send(THREADS + 4)
    time.sleep(1.5)  # wake-ups wait, and all are busy

    assert ears.consumers == 1


def test_a_busy_worker_holds_no_wake_up_that_could_wake_another(ears: Listening) -> None:
    ears.go_on.clear()
    ears.send(THREADS + 4)

    wait_for(lambda: ears.waiting() == 4)
    time.sleep(0.3)
    assert ears.waiting() == 4

    ears.go_on.set()
    wait_for(lambda: ears.waiting() == 0)


def test_the_remote_command_shutdown_is_a_wish_to_stop(ears: Listening) -> None:
    ears.app.control.shutdown()

    assert ears.shut_down.wait(20)
    assert ears.consumers == 1


def test_it_leaves_at_once_and_is_not_waited_for_if_the_broker_hangs(own_valkey: ValkeyServer) -> None:
    with listening(own_valkey.url) as ears:
        wait_for(ears.hears)
        with own_valkey.frozen():
            began = time.monotonic()
            ears.keeper.leave()
            ears.keeper.join(1.0)
            assert time.monotonic() - began < 3
