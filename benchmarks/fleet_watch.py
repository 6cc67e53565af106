"""What PostgreSQL says of itself while a fleet works: waits, locks, connections, WAL, dead tuples, HOT updates, vacuums, its CPU."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil
import psycopg

from db.monitoring.progress import progress

if TYPE_CHECKING:
    from fleet_server import FleetServer

    from db.engine import Database

#: Seconds between two looks at who waits for what.
SAMPLE_SECONDS = 0.25
#: Seconds between two runs of `status`.
STATUS_SECONDS = 1.5

_ACTIVITY = """
SELECT state, wait_event_type, wait_event FROM pg_stat_activity
WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()"""
_TABLE = """
SELECT n_tup_upd, n_tup_hot_upd, n_dead_tup, autovacuum_count, autoanalyze_count FROM pg_stat_user_tables WHERE relname = %s"""
_TABLES = ("jobs", "leases", "workers")


@dataclass(kw_only=True)
class Watched:
    """One step as the server saw it."""

    #: Samples of backends at work, by what they waited for; "CPU" if for nothing.
    waits: Counter[str] = field(default_factory=Counter)
    samples: int = 0
    #: Backends that waited for another's lock, over all samples.
    lock_waits: int = 0
    connections: int = 0
    status_ms: list[float] = field(default_factory=list)
    #: Differences over the measured time.
    seconds: float = 0.0
    wal_bytes: int = 0
    wal_syncs: int = 0
    commits: int = 0
    server_cpu: float = 0.0
    machine_busy: float = 0.0
    hot: dict[str, float] = field(default_factory=dict)
    dead: dict[str, int] = field(default_factory=dict)
    vacuums: int = 0
    #: Of the table jobs at the end.
    index_bytes: int = 0
    table_bytes: int = 0
    #: By which free memory fell since the server was idle, clients included.
    memory_bytes: int = 0

    @property
    def active(self) -> float:
        """Backends at work on average."""
        return sum(self.waits.values()) / max(1, self.samples)

    def top_waits(self, most: int = 4) -> list[tuple[str, float]]:
        """What backends at work waited for, as shares of their time."""
        total = max(1, sum(self.waits.values()))
        return [(name, count / total) for name, count in self.waits.most_common(most)]


class Watch:
    """Looks at one database from the beginning of a measurement to its end."""

    def __init__(self, server: FleetServer, name: str, database: Database) -> None:
        self._server, self._name, self._database = server, name, database
        self._stop = threading.Event()
        self.found = Watched()

    def run(self, begin: float, end: float) -> Watched:
        """Wait for the moment, look until the other, and return what was seen."""
        idle = psutil.virtual_memory().available
        time.sleep(max(0.0, begin - time.time()))
        before = self._counters()
        threads = [threading.Thread(target=look, daemon=True) for look in (self._sample, self._status)]
        for thread in threads:
            thread.start()
        time.sleep(max(0.0, end - time.time()))
        self.found.memory_bytes = max(0, idle - psutil.virtual_memory().available)
        after = self._counters()
        self._stop.set()
        for thread in threads:
            thread.join(30)
        self._subtract(before, after)
        return self.found

    def _sample(self) -> None:
        with suppress(psycopg.OperationalError), self._server.connect(self._name) as plain:
            while not self._stop.wait(SAMPLE_SECONDS):
                rows = plain.execute(_ACTIVITY).fetchall()
                found = self.found
                found.samples += 1
                found.connections = max(found.connections, len(rows))
                for state, kind, event in rows:
                    if state == "active" and kind != "Client":
                        found.waits["CPU" if kind is None else f"{kind}:{event}"] += 1
                        found.lock_waits += kind == "Lock"

    def _status(self) -> None:
        while True:
            began = time.perf_counter()
            try:
                progress(self._database)
                self.found.status_ms.append((time.perf_counter() - began) * 1000)
            except Exception:  # noqa: BLE001  # too slow for its limit: as slow as that
                self.found.status_ms.append((time.perf_counter() - began) * 1000)
            if self._stop.wait(STATUS_SECONDS):
                return

    def _counters(self) -> dict[str, Any]:
        with self._server.connect(self._name) as plain:
            wal = plain.execute("SELECT wal_bytes::bigint FROM pg_stat_wal").fetchone()
            syncs = plain.execute("SELECT coalesce(sum(fsyncs), 0)::bigint FROM pg_stat_io WHERE object = 'wal'").fetchone()
            commits = plain.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()").fetchone()
            tables = {table: plain.execute(_TABLE, (table,)).fetchone() for table in _TABLES}
            sizes = plain.execute("SELECT pg_indexes_size('jobs'), pg_table_size('jobs')").fetchone()
        return {
            "at": time.time(),
            "wal": wal[0] if wal else 0,
            "syncs": syncs[0] if syncs else 0,
            "commits": commits[0] if commits else 0,
            "tables": tables,
            "sizes": sizes or (0, 0),
            "cpu": _cpu_seconds(self._server.pid),
            "machine": psutil.cpu_times(),
        }

    def _subtract(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        found = self.found
        found.seconds = after["at"] - before["at"]
        found.wal_bytes, found.wal_syncs = after["wal"] - before["wal"], after["syncs"] - before["syncs"]
        found.commits = after["commits"] - before["commits"]
        found.server_cpu = (after["cpu"] - before["cpu"]) / found.seconds
        busy, idle = _busy_and_idle(before["machine"], after["machine"])
        found.machine_busy = busy / max(1e-9, busy + idle)
        for table in _TABLES:
            one, other = before["tables"][table], after["tables"][table]
            updates = other[0] - one[0]
            found.hot[table] = (other[1] - one[1]) / updates if updates else 0.0
            found.dead[table] = other[2]
            found.vacuums += other[3] - one[3]
        found.index_bytes, found.table_bytes = after["sizes"]


def _busy_and_idle(before: Any, after: Any) -> tuple[float, float]:
    idle = (after.idle - before.idle) + (after.iowait - before.iowait)
    total = sum(after) - sum(before) - (after.guest - before.guest) - (after.guest_nice - before.guest_nice)
    return total - idle, idle


def _cpu_seconds(postmaster: int) -> float:
    """Of the postmaster, of its processes that live, and of those that have ended."""
    process = psutil.Process(postmaster)
    times = process.cpu_times()
    total = times.user + times.system + times.children_user + times.children_system
    for child in process.children():
        with suppress(psutil.NoSuchProcess):
            own = child.cpu_times()
            total += own.user + own.system
    return float(total)


def median_and_p99(values: list[float]) -> tuple[float, float]:
    """Of some durations; zeros if there are none."""
    if not values:
        return 0.0, 0.0
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, round(0.99 * (len(ordered) - 1)))]
