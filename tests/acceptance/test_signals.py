"""Who is asked to stop ends with 0, soon, whatever is away; who was not asked goes on; and nobody stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from db.tables import attempts, jobs, leases, workers
from tests.acceptance.installation import FAST_RECOVERY, Installation, until
from tests.acceptance.queries import assert_complete, rows, states
from workers.supervision.exit_codes import ExitCode
from workers.wake_ups.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.installation import RunningFleet
    from tests.services.postgresql import PostgresServer
    from tests.services.valkey import ValkeyServer

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow(reason="runs the installed command")]

#: Seconds within which a worker with nothing on its device must end; other work shares the machine.
SOON = 30.0
#: Sends itself SIGTERM as soon as it begins to import `{module}`.
EARLY = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGTERM)
sys.meta_path.insert(0, Finder())
sys.argv = ["paragone", "work"]
from {program}.__main__ import main
main()
"""


def at_work(installation: Installation, fleet: RunningFleet) -> bool:
    """Whether a worker has registered and is at its work."""
    pids = {process.pid for process in fleet.workers()}
    return any(row["pid"] in pids for row in rows(installation, workers))


@pytest.mark.parametrize(
    ("program", "module", "code"), [("paragone", "producer.cli", 0), ("workers", "workers.supervision.child", ExitCode.STOPPED)]
)
def test_a_signal_in_the_first_second_is_heard(program: str, module: str, code: int) -> None:
    script = EARLY.format(program=program, module=module)

    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_a_signal_to_the_worker_process_alone_does_not_end_the_work(installation: Installation) -> None:
    host = installation.on(installation.directory, **FAST_RECOVERY)
    host.plan(12, repaint={"seconds_per_batch": 0.5})
    with host.working() as fleet:
        until(lambda: states(host, "generate")["done"] >= 2, what="it is in the middle")
        (first,) = fleet.workers()

        first.terminate()

        until(lambda: states(host).keys() == {"done"}, what="all is done")
        assert fleet.process.poll() is None
        assert fleet.stop() == 0, fleet.output
    assert_complete(host, repaints=12)
    assert "was stopped by a signal" in fleet.output
    assert {row["outcome"] for row in rows(host, attempts)} == {"done"}, "it finished its batch"


def test_celerys_remote_shutdown_ends_the_work_with_zero(installation: Installation) -> None:
    with installation.working() as fleet:
        until(lambda: at_work(installation, fleet), what="it works")
        with create_app(installation.settings["PARAGONE_BROKER_URL"]) as app:
            until(lambda: app.control.inspect(timeout=1).ping(), what="it listens")
            app.control.shutdown()
        assert fleet.wait() == 0, fleet.output


def test_a_frozen_broker_holds_up_neither_the_work_nor_its_end(installation: Installation, own_valkey: ValkeyServer) -> None:
    host = installation.on(installation.directory, **FAST_RECOVERY, PARAGONE_BROKER_URL=own_valkey.url)
    host.plan(4)
    with host.working() as fleet:
        until(lambda: at_work(host, fleet), what="it works")
        with own_valkey.frozen():
            until(lambda: states(host).keys() == {"done"}, what="all is done")
            began = time.monotonic()
            assert fleet.stop() == 0, fleet.output
            assert time.monotonic() - began < SOON
    assert "Traceback" not in fleet.output


def test_a_broker_that_is_gone_holds_up_no_end(installation: Installation) -> None:
    host = installation.on(installation.directory, **FAST_RECOVERY, PARAGONE_BROKER_URL="redis://127.0.0.1:9/0")
    with host.working() as fleet:
        until(lambda: at_work(host, fleet), what="it works")
        began = time.monotonic()
        assert fleet.stop() == 0, fleet.output
        assert time.monotonic() - began < SOON
    assert "Traceback" not in fleet.output


@pytest.fixture
def on_postgresql(tmp_path: Path, postgres_server: PostgresServer, broker_url: str) -> Iterator[Installation]:
    """A machine with a database of its own on the shared server."""
    name = postgres_server.create()
    settings = {**FAST_RECOVERY, "PARAGONE_DATABASE_URL": postgres_server.url(name), "PARAGONE_BROKER_URL": broker_url}
    machine = Installation(directory=tmp_path / "data", settings=settings)
    machine.output_of("init")
    yield machine
    machine.close()
    postgres_server.drop(name)


@contextlib.contextmanager
def frozen(server: PostgresServer) -> Iterator[None]:
    """A PostgreSQL that takes connections and answers nobody, while the block runs."""
    postmaster = psutil.Process(int((server.directory / "data/postmaster.pid").read_text().split()[0]))
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes[::-1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


def test_a_frozen_database_holds_up_no_end(on_postgresql: Installation, postgres_server: PostgresServer) -> None:
    with on_postgresql.working() as fleet:
        until(lambda: at_work(on_postgresql, fleet), what="it works")
        with frozen(postgres_server):
            time.sleep(2)  # its threads are in the middle of their queries
            began = time.monotonic()
            assert fleet.stop() == 0, fleet.output
            assert time.monotonic() - began < SOON


def test_work_waits_for_a_database_that_is_away_at_the_start(on_postgresql: Installation, postgres_server: PostgresServer) -> None:
    # Given a database whose server cannot be reached yet
    place = on_postgresql.directory.parent / "socket"
    url = on_postgresql.settings["PARAGONE_DATABASE_URL"].replace(str(postgres_server.directory).replace("/", "%2F"), str(place))
    assert str(place) in url
    waiting = on_postgresql.on(on_postgresql.directory, PARAGONE_DATABASE_URL=url)
    on_postgresql.plan(2)

    # When it is stopped meanwhile, then it ends with 0
    with waiting.working() as fleet:
        until(lambda: "waiting for the database" in fleet.output, what="it waits")
        assert fleet.stop() == 0

    # When the server comes, then the work begins, and one line has told of the wait
    with waiting.working("--until-idle") as fleet:
        until(lambda: "waiting for the database" in fleet.output, what="it waits")
        place.symlink_to(postgres_server.directory)
        assert fleet.wait() == 0, fleet.output
    assert fleet.output.count("waiting for the database") == 1
    assert "Traceback" not in fleet.output
    assert_complete(on_postgresql, repaints=2)


def processes_of(directory: Path) -> list[psutil.Process]:
    """Whatever runs for this data directory: supervisors, workers, the broker and its guard."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            # Valkey hides its environment; it works in the broker's directory.
            mine = process.environ().get("PARAGONE_DATA_DIR") == str(directory) or process.cwd() == str(directory / "broker")
            if mine and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def test_nothing_stays_behind_a_killed_supervisor(embedded_installation: Installation) -> None:
    host = embedded_installation
    with host.working() as fleet:
        until(lambda: at_work(host, fleet), what="it works")
        assert len(processes_of(host.directory)) >= 4  # also the broker and its guard

        os.kill(fleet.process.pid, signal.SIGKILL)
        fleet.process.wait()

        until(lambda: not processes_of(host.directory), what="all ended", seconds=SOON)


def test_nothing_stays_behind_when_all_are_killed_at_once(embedded_installation: Installation) -> None:
    host = embedded_installation
    with host.working() as fleet:
        until(lambda: at_work(host, fleet), what="it works")
        supervisor = psutil.Process(fleet.process.pid)
        supervisor.suspend()  # it must not start another worker meanwhile
        for process in [*fleet.workers(), supervisor]:
            process.kill()
        fleet.process.wait()

        until(lambda: not processes_of(host.directory), what="the broker ended too", seconds=SOON)
    assert not (host.directory / "broker/broker.sock").exists()


def test_the_jobs_of_a_worker_that_somebody_killed_are_returned_at_once_and_are_no_suspects(installation: Installation) -> None:
    # Given leases that run out long after the test
    host = installation.on(installation.directory, **FAST_RECOVERY | {"PARAGONE_LEASE_SECONDS": "3600"})
    host.plan(8, repaint={"seconds_per_batch": 1.0})
    with host.working("--until-idle") as fleet:
        until(lambda: rows(host, leases, leases.c.started_at.is_not(None)), what="a batch is on the device")
        (worker,) = fleet.workers()

        worker.kill()

        assert fleet.wait() == 0, fleet.output
    assert_complete(host, repaints=8)
    assert "was killed by SIGKILL" in fleet.output
    assert not rows(host, jobs, jobs.c.suspect)
