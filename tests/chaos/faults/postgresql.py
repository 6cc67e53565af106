"""What PostgreSQL and the way to it do: crash, restart, freeze, cut connections or swallow them, hold a lock, become a standby."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Hit, Lane, Missed, Scene, fault
from tests.chaos.postgres import FAST_STOP, IMMEDIATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.host import Host
    from tests.chaos.postgres import ChaosPostgres

KIND = "postgresql"


@fault("database crashes", Lane.DATABASE, weight=2, database=KIND)
@contextmanager
def crashes(scene: Scene) -> Iterator[Hit]:
    """SIGKILL to all of PostgreSQL; after a while it recovers."""
    hit = Hit(what=f"{_connections(scene)} connections", seconds=scene.outage())
    postgres = _postgres(scene)
    postgres.crash()
    try:
        yield hit
    finally:
        postgres.start_again()


@fault("database restarts at once", Lane.DATABASE, weight=1, database=KIND)
@contextmanager
def restarts(scene: Scene) -> Iterator[Hit]:
    """An immediate or a fast shutdown, and a start."""
    hit = Hit(what=f"{_connections(scene)} connections", seconds=scene.outage() / 2)
    postgres = _postgres(scene)
    postgres.stop(scene.rng.choice((IMMEDIATE, FAST_STOP)))
    try:
        yield hit
    finally:
        postgres.start_again()


@fault("database frozen", Lane.DATABASE, weight=1, database=KIND)
@contextmanager
def frozen(scene: Scene) -> Iterator[Hit]:
    """All of its processes stand still."""
    hit = Hit(what=f"{_connections(scene)} connections", seconds=scene.outage() * 1.5)
    postgres = _postgres(scene)
    postgres.server.signal_group(signal.SIGSTOP)
    try:
        yield hit
    finally:
        postgres.server.signal_group(signal.SIGCONT)


@fault("database connections cut (RST)", Lane.DATABASE, weight=2, database=KIND)
@contextmanager
def cut(scene: Scene) -> Iterator[Hit]:
    """The connections of one host, or of all, are reset."""
    hosts = _some(scene)
    assert scene.world.proxies is not None
    count = sum(scene.world.proxies.cut(host.port) for host in hosts)
    if not count:
        raise Missed
    yield Hit(what=f"{count} connections of {', '.join(host.name for host in hosts)}")


@fault("database connections swallowed (black hole)", Lane.DATABASE, weight=1, database=KIND)
@contextmanager
def swallowed(scene: Scene) -> Iterator[Hit]:
    """The connections of one host, or of all, lead nowhere from now on; new ones work."""
    hosts = _some(scene)
    assert scene.world.proxies is not None
    count = sum(scene.world.proxies.swallow(host.port) for host in hosts)
    if not count:
        raise Missed
    yield Hit(what=f"{count} connections of {', '.join(host.name for host in hosts)}")


@fault("database lock held", Lane.DATABASE, weight=1, database=KIND)
@contextmanager
def locked(scene: Scene) -> Iterator[Hit]:
    """Somebody's transaction holds the campaigns, or all jobs, for too long."""
    scene.need_work()
    with _postgres(scene).connect() as connection, connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '10s'")
        if scene.rng.random() < 0.5:
            connection.execute("SELECT id FROM campaigns FOR UPDATE")
            held = "every campaign"
        else:
            connection.execute("LOCK TABLE jobs IN EXCLUSIVE MODE")
            held = "all jobs"
        yield Hit(what=held, seconds=scene.outage() * 1.5)


@fault("database read-only", Lane.DATABASE, weight=1, database=KIND)
@contextmanager
def read_only(scene: Scene) -> Iterator[Hit]:
    """After a failover the address leads to a standby: it answers, and refuses every write."""
    hit = Hit(what=f"{_connections(scene)} connections", seconds=scene.outage())
    postgres = _postgres(scene)
    _default(postgres, read_only=True)
    try:
        yield hit
    finally:
        _default(postgres, read_only=False)


def _default(postgres: ChaosPostgres, *, read_only: bool) -> None:
    """Change what new sessions may, and end the old ones."""
    with postgres.connect(database="postgres") as connection:
        change = "SET default_transaction_read_only = on" if read_only else "RESET default_transaction_read_only"
        connection.execute(f"ALTER DATABASE chaos {change}".encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'chaos'")


def _postgres(scene: Scene) -> ChaosPostgres:
    assert scene.world.postgres is not None
    return scene.world.postgres


def _connections(scene: Scene) -> int:
    """Connections of all hosts; raises `Missed` if there is none."""
    assert scene.world.proxies is not None
    count = sum(scene.world.proxies.connections(host.port) for host in scene.world.hosts)
    if not count:
        raise Missed
    return count


def _some(scene: Scene) -> list[Host]:
    hosts = scene.world.hosts
    return hosts if scene.rng.random() < 0.4 else [scene.rng.choice(hosts)]
