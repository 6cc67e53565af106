"""What a broker does: dies with all that it held, forgets, freezes, fills up, holds rubbish, becomes a replica, repeats itself."""

from __future__ import annotations

import contextlib
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import redis

from db.enums import Stage
from tests.chaos.faults.fault import Hit, Lane, Missed, Scene, fault
from workers.wake_ups.app import WAKE_UP, create_app, queue_name

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Wake-ups of one queue that are sent again: it must not grow from one such fault to the next.
MOST_AGAIN = 8
#: What lies in a queue that somebody else wrote into.
RUBBISH = (b"garbage", b"[1, 2]", b"{}", b"\x80\x04", b'{"body": "e30=", "headers": {}, "content-type": "application/json"}')


@fault("broker killed, data lost", Lane.BROKER, weight=3)
@contextmanager
def killed(scene: Scene) -> Iterator[Hit]:
    """SIGKILL; after a while it is there again, empty."""
    hit = Hit(what=f"{_customers(scene)} connections", seconds=scene.outage())
    server = scene.world.broker.server
    server.kill()
    try:
        yield hit
    finally:
        server.start()


@fault("broker flushed", Lane.BROKER, weight=2)
@contextmanager
def flushed(scene: Scene) -> Iterator[Hit]:
    """Everything in it is deleted, the bindings of the queues too."""
    hit = Hit(what=f"{_customers(scene)} connections, {sum(scene.world.broker.depths().values())} wake-ups")
    scene.world.broker.client.flushall()
    yield hit


@fault("broker frozen", Lane.BROKER, weight=2)
@contextmanager
def frozen(scene: Scene) -> Iterator[Hit]:
    """It keeps its connections and answers nothing."""
    hit = Hit(what=f"{_customers(scene)} connections", seconds=2 * scene.outage())
    scene.world.broker.server.signal_group(signal.SIGSTOP)
    try:
        yield hit
    finally:
        scene.world.broker.server.signal_group(signal.SIGCONT)


@fault("broker full", Lane.BROKER, weight=2)
@contextmanager
def full(scene: Scene) -> Iterator[Hit]:
    """It refuses every write for want of memory."""
    hit = Hit(what=f"{_customers(scene)} connections", seconds=scene.outage())
    client = scene.world.broker.client
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1")
    try:
        yield hit
    finally:
        client.config_set("maxmemory", "0")


@fault("broker holds rubbish", Lane.BROKER, weight=2)
@contextmanager
def rubbish(scene: Scene) -> Iterator[Hit]:
    """An item that is no message stands first in a queue."""
    hit = Hit(what=f"{_customers(scene)} connections")
    scene.watch.note_own_messages()
    scene.world.broker.client.rpush(queue_name(scene.rng.choice(list(Stage))), scene.rng.choice(RUBBISH))
    yield hit


@fault("broker key of a wrong type", Lane.BROKER, weight=2)
@contextmanager
def wrong_type(scene: Scene) -> Iterator[Hit]:
    """A queue's name is taken by a string for a while."""
    hit = Hit(what=f"{_customers(scene)} connections", seconds=scene.outage())
    client, name = scene.world.broker.client, queue_name(scene.rng.choice(list(Stage)))
    client.set(name, "no list")
    try:
        yield hit
    finally:
        client.delete(name)


@fault("broker became a replica", Lane.BROKER, weight=2)
@contextmanager
def replica(scene: Scene) -> Iterator[Hit]:
    """After a failover the address leads to a read-only replica for a while."""
    hit = Hit(what=f"{_customers(scene)} connections", seconds=scene.outage())
    client = scene.world.broker.client
    client.replicaof("127.0.0.1", "1")
    try:
        yield hit
    finally:
        client.replicaof("NO", "ONE")


@fault("wake-ups doubled and reordered", Lane.BROKER, weight=2)
@contextmanager
def doubled(scene: Scene) -> Iterator[Hit]:
    """Every queue gets some of its wake-ups again, in another order, and one more."""
    _customers(scene)
    scene.watch.note_own_messages()
    client, count = scene.world.broker.client, 0
    with create_app(scene.world.broker.url) as app:
        for stage in Stage:
            name = queue_name(stage)
            there = client.lrange(name, 0, -1)
            again = there[:MOST_AGAIN]
            scene.rng.shuffle(again)
            for message in again:
                client.rpush(name, message)
            app.send_task(WAKE_UP, queue=name, ignore_result=True, retry=False)
            count += len(again) + 1
            scene.watch.note_own_messages()
    yield Hit(what=f"{count} wake-ups")


def _customers(scene: Scene) -> int:
    """How many connections of workers it has; raises `Missed` if none."""
    with contextlib.suppress(redis.RedisError):
        count = scene.world.broker.customers()
        if count > 0:
            return count
    raise Missed
