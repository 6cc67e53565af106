"""Everything that a run happens to: a database, a broker, a store on a disk, three hosts, and the means to trouble each of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import uuid
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil
from click.testing import CliRunner
from sqlalchemy import select

from db.engine import connect
from db.runtime import Runtime
from db.settings import Settings
from db.tables import artworks
from tests.acceptance.installation import PARAGONE
from tests.chaos.broker import ChaosBroker
from tests.chaos.controls import Controls
from tests.chaos.disk import Disk
from tests.chaos.host import Host
from tests.chaos.plan import number_of
from tests.chaos.postgres import ChaosPostgres
from tests.chaos.proxy import Proxies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from db.engine import Database
    from tests.chaos.clockwork import Clockwork
    from tests.chaos.plan import Plan

HOOKS = Path(__file__).parent / "hooks"
HOSTS = ("north", "east", "south")
#: In the environment of every process of a run.
MARK = "CHAOS_RUN"
#: Seconds that a command may take.
PATIENCE = 180.0
#: The campaign that is judged.
MAIN = "main"


class World:
    """One run's own services, files and hosts. Use it as a context manager: nothing is left behind."""

    def __init__(
        self,
        *,
        database: str,
        clockwork: Clockwork,
        plan: Plan,
        mutants: Sequence[str] = (),
        hosts: int = 3,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = database
        self.clockwork = clockwork
        self.plan = plan
        self.mark = uuid.uuid4().hex
        # Not TMPDIR, which may be too long for a socket.
        self.directory = Path(tempfile.mkdtemp(prefix="paragone-chaos-", dir="/tmp"))
        self.controls = Controls(directory=self.directory / "controls")
        self.disk = Disk(self.directory / "disk")
        self.store = self.disk.root / "store"
        self.broker = ChaosBroker(self.directory / "broker")
        self.broker.server.start()
        self.postgres: ChaosPostgres | None = None
        self.proxies: Proxies | None = None
        self.other_store = self.directory / "other" / "store"
        #: Seconds by which the database's clock is ahead, and when it stepped last.
        self.database_clock = 0.0
        self.clock_stepped_at = float("-inf")
        #: Further variables of every process.
        self._more = {"CHAOS_MUTANTS": ",".join(mutants), **(more or {})}
        if database == "postgresql":
            self.postgres, self.proxies = ChaosPostgres(), Proxies()
            self.postgres.create()
        self.hosts = [self._host(name) for name in HOSTS[:hosts]]

    @cached_property
    def database(self) -> Database:
        """The conductor's own way to the database, past the proxies."""
        return connect(self.database_url)

    @property
    def database_url(self) -> str:
        """Past the proxies."""
        return self.postgres.url if self.postgres else f"sqlite:///{self.directory / 'paragone.sqlite'}"

    @cached_property
    def runtime(self) -> Runtime:
        """For reading in this process."""
        return Runtime(
            Settings.model_validate(
                {
                    "data_dir": self.directory / "own",
                    "database_url": self.database_url,
                    "broker_url": self.broker.url,
                    "store_url": str(self.store),
                }
            )
        )

    @property
    def lease(self) -> float:
        """Seconds until a silent worker's jobs may be taken over."""
        return self.clockwork.lease

    @property
    def alive_within(self) -> float:
        """Seconds after its last heartbeat for which a worker counts as alive."""
        return 2 * self.lease

    def prepare(self) -> None:
        """Create the tables, ingest the originals, spoil the planted ones, and plan the first two thirds of the campaign."""
        self.plan.write_originals(self.directory / "originals")
        self.runtime.initialise()
        Runtime(Settings.model_validate({"data_dir": self.other_store.parent})).initialise()
        run_here(self.runtime, "ingest", self.directory / "originals")
        self._spoil()
        campaign = self.plan.write_campaign(self.directory / "campaign.toml", clockwork=self.clockwork)
        run_here(self.runtime, "enqueue", "--campaign", MAIN, "--config", campaign, "--limit", self.plan.artworks * 2 // 3)

    def step_database_clock(self, seconds: float) -> None:
        """Step the clock by which leases are judged, on SQLite that of every process on this machine."""
        self.database_clock += seconds
        self.clock_stepped_at = time.monotonic()
        if self.postgres:
            self.postgres.execute(f"UPDATE stepped.clock SET seconds = {self.database_clock!r}")  # noqa: S608  # a number
        else:
            self.controls.ask("database-clock", "all", repr(self.database_clock))

    def counts_as_alive(self, seen_at: float) -> bool:
        """Whether a worker with this last heartbeat counts as alive by the database's clock as it is now (`db.jobs.living`)."""
        return abs(seen_at - time.time() - self.database_clock) < self.alive_within

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run one of Paragone's commands as an operator does, past the proxies."""
        environment = self._environment("operator", self.database_url) | {"PARAGONE_DATA_DIR": str(self.directory / "operator")}
        command = [PARAGONE, *map(str, arguments)]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )

    def processes(self) -> list[psutil.Process]:
        """Every living process that was started by this run's commands."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes():
            process.kill()
        for name in ("database", "runtime"):
            if name in self.__dict__:
                (self.database.dispose if name == "database" else self.runtime.close)()
        if self.proxies and self.postgres:
            self.proxies.close()
            self.postgres.close()
        self.broker.close()
        self.disk.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _host(self, name: str) -> Host:
        port = self.proxies.open(self.postgres.socket) if self.proxies and self.postgres else 0
        url = self.postgres.through(port) if self.postgres else self.database_url
        directory = self.directory / name
        environment = self._environment(name, url) | {"PARAGONE_DATA_DIR": str(directory)}
        return Host(name=name, directory=directory, environment=environment, port=port)

    def _environment(self, host: str, database_url: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PARAGONE_", "CHAOS_"))}
        return kept | {
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(HOOKS),
            "PARAGONE_DATABASE_URL": database_url,
            "PARAGONE_BROKER_URL": self.broker.url,
            "PARAGONE_STORE_URL": str(self.store),
            **self.clockwork.settings,
            MARK: self.mark,
            "CHAOS_HOST": host,
            "CHAOS_CONTROLS": str(self.controls.directory),
            "CHAOS_STORE": str(self.store),
            **self._more,
        }

    def _spoil(self) -> None:
        """Truncate the blob of one original and take out that of another: files that broke after they were registered."""
        with self.database.read() as connection:
            hashes = {number_of(row.key): row.content_hash for row in connection.execute(select(artworks.c.key, artworks.c.content_hash))}
        if self.plan.truncated is not None:
            cut = self._blob(hashes[self.plan.truncated])
            cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
        if self.plan.gone is not None:
            self._blob(hashes[self.plan.gone]).unlink()

    def _blob(self, content_hash: str) -> Path:
        (path,) = (self.store / "blobs").rglob(content_hash)
        return path

    def facts(self) -> dict[str, Any]:
        """What a table of results says of this machine and run."""
        return {
            "database": self.kind,
            "cores": os.cpu_count(),
            "artworks": self.plan.artworks,
            "own_disk": self.disk.is_own,
            "at": time.strftime("%Y-%m-%d %H:%M"),
        }


def run_here(runtime: Runtime, name: str, *arguments: object) -> None:
    """Run a command in this process, before anything is troubled: that saves the seconds of its start."""
    (point,) = entry_points(group="paragone.commands", name=name)
    CliRunner().invoke(point.load(), [*map(str, arguments)], obj=runtime, catch_exceptions=False)
