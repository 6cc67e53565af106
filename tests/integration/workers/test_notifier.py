from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
import redis

import workers.wake_ups.notifier as notifier_module
from db.enums import Stage
from workers.wake_ups.app import create_app, queue_name
from workers.wake_ups.background_notifier import BackgroundNotifier
from workers.wake_ups.notifier import Notifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celery import Celery

    from tests.services.valkey import ValkeyServer

#: Nobody listens on the discard port.
NOWHERE = "redis://127.0.0.1:9/0"


@pytest.fixture
def app(broker_url: str) -> Iterator[Celery]:
    with create_app(broker_url) as app:
        yield app


@pytest.fixture(autouse=True)
def _no_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier_module, "QUIET_SECONDS", 0.0)


def take_one(broker_url: str, stage: Stage) -> None:
    with redis.Redis.from_url(broker_url) as client:
        assert client.lpop(queue_name(stage)) is not None


def test_each_queue_is_topped_up_to_twice_its_threads(app: Celery) -> None:
    notifier = Notifier(app)

    sent = notifier.wake([Stage.CAPTION, Stage.GENERATE], threads=lambda stage: {Stage.CAPTION: 3, Stage.GENERATE: 1}[stage])

    assert sent == 8
    assert notifier.depths(Stage) == {Stage.CAPTION: 6, Stage.PROMPT: 0, Stage.GENERATE: 2, Stage.RECAPTION: 0}


def test_a_full_queue_gets_no_more_wake_ups_whoever_filled_it(app: Celery, broker_url: str) -> None:
    Notifier(app).wake([Stage.CAPTION], threads=lambda _: 3)
    other = Notifier(app)

    assert other.wake([Stage.CAPTION], threads=lambda _: 3) == 0
    assert other.wake([Stage.CAPTION], threads=lambda _: 1) == 0

    take_one(broker_url, Stage.CAPTION)
    take_one(broker_url, Stage.CAPTION)
    assert other.wake([Stage.CAPTION], threads=lambda _: 3) == 2
    assert other.depths([Stage.CAPTION]) == {Stage.CAPTION: 6}


def test_with_no_worker_alive_a_few_wake_ups_wait_for_the_first(app: Celery) -> None:
    assert Notifier(app).wake([Stage.PROMPT], threads=lambda _: 0) == 2


def test_a_broker_that_forgot_everything_is_filled_again(app: Celery, broker_url: str) -> None:
    notifier = Notifier(app)
    notifier.wake([Stage.CAPTION], threads=lambda _: 2)
    with redis.Redis.from_url(broker_url) as client:
        client.flushall()

    assert notifier.wake([Stage.CAPTION], threads=lambda _: 2) == 4


def test_many_completions_at_once_look_at_the_queue_once(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier_module, "QUIET_SECONDS", 60.0)
    notifier = Notifier(app)
    asked: list[Stage] = []

    def threads(stage: Stage) -> int:
        asked.append(stage)
        return 1

    for _ in range(10):
        notifier.wake([Stage.CAPTION], threads=threads)
    notifier.wake([Stage.PROMPT], threads=threads)

    assert asked == [Stage.CAPTION, Stage.PROMPT]


def test_a_wake_up_reaches_celery_as_the_task_of_its_queue(app: Celery) -> None:
    Notifier(app).wake([Stage.RECAPTION], threads=lambda _: 1)
    heard: list[tuple[str, str]] = []

    with app.connection_for_read() as connection, connection.SimpleQueue(queue_name(Stage.RECAPTION)) as queue:
        message = queue.get(timeout=10)
        heard.append((message.headers["task"], message.content_type))
        message.ack()

    assert heard == [("paragone.wake_up", "application/json")]


def test_a_broker_that_is_gone_is_logged_once_and_holds_up_nobody(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier_module, "AWAY_SECONDS", 0.0)
    with create_app(NOWHERE) as app:
        notifier = Notifier(app)
        began = time.monotonic()

        assert [notifier.wake([Stage.CAPTION], threads=lambda _: 1) for _ in range(3)] == [0, 0, 0]

        # Kombu alone would try for six seconds each time.
        assert time.monotonic() - began < 5
    assert [record.levelname for record in caplog.records if record.name == "workers.wake_ups.notifier"] == ["WARNING"]
    assert "workers find their work by themselves" in caplog.text


def test_a_broker_that_is_gone_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier_module, "AWAY_SECONDS", 60.0)
    asked: list[Stage] = []

    def threads(stage: Stage) -> int:
        asked.append(stage)
        return 1

    with create_app(NOWHERE) as app:
        notifier = Notifier(app)
        notifier.wake([Stage.CAPTION], threads=threads)
        notifier.wake([Stage.PROMPT], threads=threads)

    assert asked == [Stage.CAPTION]


def test_a_notifier_wakes_again_after_the_broker_cut_its_connections(app: Celery, broker_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier_module, "AWAY_SECONDS", 0.0)
    notifier = Notifier(app)
    notifier.wake([Stage.CAPTION], threads=lambda _: 1)
    with redis.Redis.from_url(broker_url) as client:
        client.flushall()
        client.client_kill_filter(_type="normal", skipme=True)

    for _ in range(3):
        notifier.wake([Stage.CAPTION], threads=lambda _: 1)

    assert notifier.depths([Stage.CAPTION]) == {Stage.CAPTION: 2}


def test_processes_that_finish_together_never_overfill_a_queue(broker_url: str) -> None:
    # Given many processes, each of which tops up what others take
    bound = 2 * 9
    deepest = [0]
    done = threading.Event()

    def finish() -> None:
        with create_app(broker_url) as app:
            notifier = Notifier(app)
            for _ in range(25):
                notifier.wake([Stage.CAPTION], threads=lambda _: 9)

    def consume() -> None:
        with redis.Redis.from_url(broker_url) as client:
            while not done.is_set():
                client.ltrim(queue_name(Stage.CAPTION), 4, -1)
                time.sleep(0.02)

    def watch() -> None:
        with redis.Redis.from_url(broker_url) as client:
            while not done.is_set():
                deepest[0] = max(deepest[0], client.llen(queue_name(Stage.CAPTION)))

    watchers = [threading.Thread(target=work, daemon=True) for work in (consume, watch)]
    finishers = [threading.Thread(target=finish, daemon=True) for _ in range(8)]
    for thread in (*watchers, *finishers):
        thread.start()
    for thread in finishers:
        thread.join(120)
        assert not thread.is_alive()
    done.set()
    for thread in watchers:
        thread.join(10)

    assert 0 < deepest[0] <= bound


def test_a_process_that_dies_while_it_fills_a_queue_keeps_nobody_from_it_for_long(app: Celery, broker_url: str) -> None:
    with redis.Redis.from_url(broker_url) as client:
        client.lock(f"{queue_name(Stage.CAPTION)}.filling", timeout=0.5).acquire()
    notifier = Notifier(app)
    assert notifier.wake([Stage.CAPTION], threads=lambda _: 2) == 0

    time.sleep(0.6)

    assert notifier.wake([Stage.CAPTION], threads=lambda _: 2) == 4


def test_who_was_suspended_before_sending_sends_nothing(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier_module, "SENDING_SECONDS", -1.0)

    assert Notifier(app).wake([Stage.CAPTION], threads=lambda _: 2) == 0


def test_a_broker_that_hangs_holds_up_no_batch(own_valkey: ValkeyServer) -> None:
    with create_app(own_valkey.url) as app:
        notifier = BackgroundNotifier(app)
        assert notifier.wake([Stage.CAPTION], threads=lambda _: 2) == 0
        deadline = time.monotonic() + 30
        while notifier.depths([Stage.CAPTION]) != {Stage.CAPTION: 4}:
            assert time.monotonic() < deadline
            time.sleep(0.02)

        with own_valkey.frozen():
            began = time.monotonic()
            for _ in range(100):
                notifier.wake([Stage.CAPTION, Stage.PROMPT], threads=lambda _: 2)
            assert time.monotonic() - began < 2


def test_no_password_of_the_broker_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with create_app("redis://:hunter2@127.0.0.1:9/0") as app:
        assert Notifier(app).wake([Stage.CAPTION], threads=lambda _: 1) == 0

    assert "takes no wake-ups" in caplog.text
    assert "hunter2" not in caplog.text
