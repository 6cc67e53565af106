"""Looking on: what the database, the queues and the processes show, several times a second, past every fault."""

from __future__ import annotations

import contextlib
import threading
import time
from bisect import bisect
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil
import redis
from sqlalchemy import func, select

from db.errors import DatabaseUnavailable
from db.tables import attempts, jobs, leases, workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from tests.chaos.world import World

LOOK_SECONDS = 0.25
DEPTH_SECONDS = 0.1
MEMORY_SECONDS = 2.0
#: Seconds that the conductor may take to send messages.
OWN_MESSAGES_SECONDS = 5.0
#: Seconds by which this look at the living threads may differ from the workers' own.
LATE_SECONDS = 10.0
#: Wake-ups for each living thread (`workers.wake_ups.notifier`).
BOUND_PER_THREAD = 2


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What the database showed at one moment of the monotonic clock."""

    at: float
    #: The newest attempt that ended well.
    last_done: int
    #: Worker id to tokens that it holds.
    leases: dict[str, tuple[str, ...]]
    #: Pid to the id of the worker that registered last with it.
    workers: dict[int, str]
    #: Threads of all workers that have not stopped and were seen lately.
    threads: int
    #: State to number of jobs.
    states: dict[str, int]
    #: The jobs that a worker holds.
    running: frozenset[int] = frozenset()

    @property
    def under_way(self) -> int:
        """Jobs that a worker holds."""
        return self.states.get("running", 0)

    @property
    def left(self) -> int:
        """Jobs that are not over."""
        return sum(self.states.get(state, 0) for state in ("waiting", "ready", "running"))


NOTHING = Sight(at=0.0, last_done=0, leases={}, workers={}, threads=0, states={})


@dataclass(frozen=True, kw_only=True)
class Growth:
    """A queue that had become longer."""

    at: float
    stage: str
    depth: int


@dataclass(kw_only=True)
class Watch:
    """The threads that look, and what they saw."""

    world: World
    #: Seconds between two counts of all jobs.
    count_seconds: float = 0.0
    sight: Sight = NOTHING
    growths: list[Growth] = field(default_factory=list)
    deepest: int = 0
    #: Host and pid to (seconds, resident bytes) of its worker process.
    memory: dict[tuple[str, int], list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    #: Until when the conductor itself sends messages.
    own_messages_until: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    #: Worker id to its last heartbeat by the database's clock, and when that was seen.
    _seen: dict[str, tuple[float, float]] = field(default_factory=dict)
    _depths: dict[str, int] = field(default_factory=dict)
    _counted_at: float = -1000.0
    #: When how many threads were alive.
    _alive: list[tuple[float, int]] = field(default_factory=list)
    #: When it began.
    began: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Begin to look."""
        for seconds, look in ((LOOK_SECONDS, self.look), (DEPTH_SECONDS, self._look_at_queues), (MEMORY_SECONDS, self._look_at_memory)):
            thread = threading.Thread(target=self._repeat, args=(seconds, look), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        for thread in self._threads:
            thread.join(10)

    def look(self) -> Sight | None:
        """Look at the database now; None if it does not answer."""
        try:
            with self.world.database.read() as connection:
                self.sight = self._sight(connection)
        except DatabaseUnavailable:
            return None
        return self.sight

    def worker_of(self, pid: int) -> str | None:
        """The id under which a process registered."""
        return self.sight.workers.get(pid)

    def _repeat(self, seconds: float, look: object) -> None:
        while not self._stop.wait(seconds):
            look()  # type: ignore[operator]

    def _sight(self, connection: Connection) -> Sight:
        at = time.monotonic()
        last = connection.scalar(select(func.max(attempts.c.id)).where(attempts.c.outcome == "done"))
        held: defaultdict[str, list[str]] = defaultdict(list)
        for row in connection.execute(select(leases.c.worker_id, leases.c.token)):
            held[row.worker_id].append(row.token)
        found = connection.execute(select(workers).where(workers.c.stopped_at.is_(None)).order_by(workers.c.started_at)).all()
        for row in found:
            if self._seen.get(row.id, (None, 0.0))[0] != row.seen_at:
                self._seen[row.id] = (row.seen_at, at)
        # As long as the workers themselves count one as alive, and a little more.
        lately = at - self.world.alive_within - 2.0
        threads = sum(row.threads for row in found if self._seen[row.id][1] > lately)
        self._alive.append((at, max(threads, self._resurrected(found, at))))
        return Sight(
            at=at,
            last_done=last or 0,
            leases={worker: tuple(tokens) for worker, tokens in held.items()},
            workers={row.pid: row.id for row in found},
            threads=threads,
            states=self._states(connection, at),
            running=frozenset(connection.scalars(select(jobs.c.id).where(jobs.c.lease_token.is_not(None), jobs.c.state == "running"))),
        )

    def _resurrected(self, found: Sequence[Row[Any]], at: float) -> int:
        """Threads that count as alive by the database's clock after it went back: for a while some of those that had long been dead."""
        if at - self.world.clock_stepped_at > 2 * self.world.alive_within + LATE_SECONDS:
            return 0
        return sum(row.threads for row in found if self.world.counts_as_alive(row.seen_at))

    def _states(self, connection: Connection, at: float) -> dict[str, int]:
        if at - self._counted_at >= self.count_seconds:
            self._counted_at = at
            return {row.state: row.number for row in connection.execute(_STATES)}
        return self.sight.states

    def _look_at_queues(self) -> None:
        try:
            depths = self.world.broker.depths()
        except redis.RedisError:
            return
        moment = time.monotonic()
        self.deepest = max(self.deepest, *depths.values())
        for stage, depth in depths.items():
            # One that is too long because threads have gone may stay so for a while: it must not grow.
            if depth > max(BOUND_PER_THREAD, self._depths.get(stage, 0)) and moment > self.own_messages_until:
                self.growths.append(Growth(at=moment, stage=stage, depth=depth))
        self._depths = depths

    def excesses(self) -> list[tuple[Growth, int]]:
        """The growths beyond the bound, with it: twice the threads that the workers may have counted then."""
        lately = self.world.alive_within + LATE_SECONDS
        moments = [at for at, _ in self._alive]
        found = []
        for growth in self.growths:
            first, last = bisect(moments, growth.at - lately), bisect(moments, growth.at + LATE_SECONDS)
            bound = BOUND_PER_THREAD * max([1, *(count for _, count in self._alive[first:last])])
            if growth.depth > bound:
                found.append((growth, bound))
        return found

    def note_own_messages(self) -> None:
        """The conductor sends messages to the queues now."""
        self.own_messages_until = time.monotonic() + OWN_MESSAGES_SECONDS

    def _look_at_memory(self) -> None:
        for host in self.world.hosts:
            with contextlib.suppress(psutil.NoSuchProcess):
                child = host.child()
                if child is not None:
                    self.memory[host.name, child.pid].append((time.monotonic(), child.memory_info().rss))


_STATES = select(jobs.c.state, func.count().label("number")).group_by(jobs.c.state)
