"""Half a million jobs of stages that do nothing, on PostgreSQL under random faults: does anything grow, does anything become slow?

    python benchmarks/soak.py [--jobs 500000] [--seconds 7200] [--batch-seconds 0.05] [--seed 1] [--out build/chaos/soak.json]

A batch of eight holds its device for a while, asleep, so that what is timed is the database's work at this pace, not a machine without a
free moment. Two hosts work by the installed command with the default clockwork; on one of them processes are killed, stopped and frozen,
the other lives through the whole run; broker and database crash, freeze, forget and cut connections for both. Every few seconds: resident
memory of the living host's worker and supervisor, of the broker and of PostgreSQL (there without what its processes share), dead rows and
sizes of `jobs` and `leases`; `status` and a claim are timed by a client in a process of its own (`soak_client.py`). A figure is judged by
the median of each minute.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from fixtures import register
from soak_client import CLAIM, DATABASE_URL, STATUS
from sqlalchemy import text

from db.errors import DatabaseUnavailable
from tests.chaos.clockwork import DEFAULT
from tests.chaos.conductor import Conductor
from tests.chaos.faults import FAULTS, Lane
from tests.chaos.plan import Plan
from tests.chaos.world import MAIN, World, run_here

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.faults import Fault

JOBS_EACH = 7
LOOK_SECONDS = 3.0
WINDOW_SECONDS = 60.0
#: Faults that need stages that do something, or that ask for half of the jobs again.
LEFT_OUT = ("backend", "crash between", "store", "requeue", "enqueue", "cancel", "gc", "clock of the database")
#: Seconds between two faults of one lane.
PAUSES = {Lane.HOST: (15.0, 40.0), Lane.BROKER: (20.0, 60.0), Lane.DATABASE: (60.0, 120.0), Lane.COMMAND: (30.0, 60.0)}

#: Bounds: milliseconds, bytes a minute, rows.
STATUS_MS, CLAIM_MS = 150.0, 5.0
GROWTH = {"worker": 1 << 20, "supervisor": 1 << 18, "broker": 1 << 19, "postgresql": 8 << 20}
DEAD_ROWS = {"jobs": 100_000, "leases": 20_000}
#: Seconds that a process takes to warm up.
WARM_SECONDS = 60.0

CAMPAIGN = """
[caption]
backend = "fake-none"
settings.seconds_per_batch = {seconds}
[prompt]
backend = "fake-none"
batch = 8
settings.seconds_per_batch = {seconds}
[level.moderate]
backend = "fake-none"
strength = 0.3
settings.seconds_per_batch = {seconds}
[level.radical]
backend = "fake-none"
strength = 0.45
settings.seconds_per_batch = {seconds}
"""
DEAD = "SELECT relname, n_dead_tup, pg_total_relation_size(relid) AS size FROM pg_stat_user_tables WHERE relname IN ('jobs', 'leases')"


@dataclass
class Samples:
    """Figures by name: (seconds since the beginning, value)."""

    began: float = field(default_factory=time.monotonic)
    figures: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    #: Whether nothing was left before time was up.
    all_done: bool = False

    def note(self, name: str, value: float) -> None:
        """A figure as it is now."""
        self.figures.setdefault(name, []).append((time.monotonic() - self.began, value))

    def windows(self, name: str) -> list[float]:
        """The median of each minute."""
        found: dict[int, list[float]] = {}
        for at, value in self.figures.get(name, []):
            found.setdefault(int(at / WINDOW_SECONDS), []).append(value)
        return [statistics.median(values) for _, values in sorted(found.items())]

    def growth(self, name: str) -> float:
        """By how much a figure grows in a minute, once it is warm."""
        warm = [(at, value) for at, value in self.figures.get(name, []) if at > WARM_SECONDS]
        return statistics.linear_regression(*zip(*warm, strict=True)).slope * 60 if len(warm) > 2 else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Many jobs under random faults: memory, times, dead rows.")
    parser.add_argument("--jobs", type=int, default=500_000)
    parser.add_argument("--seconds", type=float, default=7200.0, help="end after so long, done or not")
    parser.add_argument("--batch-seconds", type=float, default=0.05, help="how long a batch holds its device")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("build/chaos/soak.json"))
    given = parser.parse_args()
    logging.basicConfig(level="WARNING", format="%(message)s")
    clockwork = type(DEFAULT)(**{**vars(DEFAULT), "pauses": PAUSES})
    with World(database="postgresql", clockwork=clockwork, plan=Plan(artworks=0), hosts=2, more={"CHAOS_FAKE_STAGES": "1"}) as world:
        _prepare(world, given.jobs // JOBS_EACH, given.batch_seconds)
        conductor = Conductor(
            world, seed=given.seed, faults=10**9, kinds=[fault.kind for fault in FAULTS if _is_wanted(fault)], count_seconds=5.0
        )
        samples = _soak(conductor, given.seconds)
    return _report(conductor, samples, given.out)


def _is_wanted(fault: Fault) -> bool:
    return fault.lane is not Lane.STORE and not fault.kind.startswith(LEFT_OUT)


def _prepare(world: World, artworks: int, batch_seconds: float) -> None:
    world.runtime.initialise()
    register(world.database, "soak", artworks)
    file = world.directory / "soak.toml"
    file.write_text(CAMPAIGN.format(seconds=batch_seconds))
    began = time.monotonic()
    run_here(world.runtime, "enqueue", "--campaign", MAIN, "--config", file)
    print(f"{artworks * JOBS_EACH} jobs planned in {time.monotonic() - began:.0f} s", flush=True)


def _soak(conductor: Conductor, seconds: float) -> Samples:
    """Let the hosts work under faults until nothing is left or time is up, and take samples."""
    conductor.begin()
    samples = Samples()
    striking = threading.Thread(target=conductor.strike, args=(conductor.world.hosts[1:],), daemon=True)
    striking.start()
    with _client(conductor, samples):
        _watch(conductor, samples, seconds)
    conductor.stop_striking()
    striking.join()
    if samples.all_done:
        conductor.finish()
    else:
        conductor.stop_hosts()
    return samples


def _watch(conductor: Conductor, samples: Samples, seconds: float) -> None:
    """Take samples until nothing is left or time is up."""
    while time.monotonic() - samples.began < seconds:
        for look in (_memory, _rows):
            try:
                look(conductor, samples)
            except (DatabaseUnavailable, psutil.NoSuchProcess, RuntimeError):
                continue  # it is away now, as it is meant to be from time to time
        if samples.began + 30 < time.monotonic() and not conductor.watch.sight.left:
            samples.all_done = True
            break
        time.sleep(LOOK_SECONDS)
        done = conductor.watch.sight.states.get("done", 0)
        if len(samples.figures.get("done", [])) % 20 == 0:
            print(f"{time.monotonic() - samples.began:6.0f} s: {done} done, {len(conductor.journal.injected)} faults", flush=True)
        samples.note("done", done)


def _memory(conductor: Conductor, samples: Samples) -> None:
    spared = conductor.world.hosts[0]
    for name, process in (("worker", spared.child()), ("supervisor", spared.supervisor())):
        if process is not None:
            samples.note(name, process.memory_info().rss)
    samples.note("broker", psutil.Process(conductor.world.broker.server.pid).memory_info().rss)
    assert conductor.world.postgres is not None
    main = psutil.Process(conductor.world.postgres.server.pid)
    samples.note("postgresql", sum(process.memory_full_info().uss for process in [main, *main.children()]))


@contextmanager
def _client(conductor: Conductor, samples: Samples) -> Iterator[None]:
    """A process that times what a user waits for; its figures become samples as they come."""
    command = [sys.executable, str(Path(__file__).with_name("soak_client.py"))]
    environment = os.environ | {DATABASE_URL: conductor.world.database_url}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as client:  # our own

        def take() -> None:
            assert client.stdout is not None
            for line in client.stdout:
                for name, value in json.loads(line).items():
                    samples.note(name, value)

        taking = threading.Thread(target=take, daemon=True)
        taking.start()
        try:
            yield
        finally:
            client.kill()
            taking.join()


def _rows(conductor: Conductor, samples: Samples) -> None:
    with conductor.world.database.read() as connection:
        for row in connection.execute(text(DEAD)):
            samples.note(f"dead rows of {row.relname}", row.n_dead_tup)
            samples.note(f"MiB of {row.relname}", row.size / (1 << 20))


def _report(conductor: Conductor, samples: Samples, out: Path) -> int:
    missed = []
    for name, bound in ((STATUS, STATUS_MS), (CLAIM, CLAIM_MS)):
        worst = max(samples.windows(name), default=0.0)
        missed += [f"{name}: {worst:.1f} in the worst minute, bound {bound:.0f}"] if worst > bound else []
    for name, growth in GROWTH.items():
        if samples.growth(name) > growth:
            missed.append(f"{name} grows by {samples.growth(name) / (1 << 20):.2f} MiB a minute, bound {growth / (1 << 20):.2f}")
    for table, rows in DEAD_ROWS.items():
        worst = max(samples.windows(f"dead rows of {table}"), default=0.0)
        missed += [f"dead rows of {table}: {worst:.0f}, bound {rows}"] if worst > rows else []
    seconds = samples.figures["done"][-1][0]
    done = int(conductor.watch.sight.states.get("done", 0))
    if samples.all_done and conductor.watch.sight.left:
        missed.append(f"jobs are left: {conductor.watch.sight.states}")
    missed += conductor.journal.complaints
    print(f"\n{done} jobs in {seconds:.0f} s ({done / seconds:.0f}/s), {len(conductor.journal.injected)} faults")
    for name, values in sorted(samples.figures.items()):
        numbers = [value for _, value in values]
        scale, unit = (1 << 20, " MiB") if name in GROWTH else (1, "")
        grows = f", grows by {samples.growth(name) / (1 << 20):+.2f} MiB a minute" if name in GROWTH else ""
        worst = max(samples.windows(name))
        print(
            f"  {name}: median {statistics.median(numbers) / scale:.1f}{unit}, worst minute {worst / scale:.1f}{unit}, "
            f"largest {max(numbers) / scale:.1f}{unit}{grows}"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    facts: dict[str, Any] = {"done": done, "seconds": seconds, "missed": missed, "figures": samples.figures}
    out.write_text(json.dumps(facts | {"faults": [entry.facts() for entry in conductor.journal.injected]}))
    print("\n".join(f"MISSED {line}" for line in missed) or "every bound is kept")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
