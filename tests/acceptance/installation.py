"""One machine of an operator: a data directory, an environment, and the installed command run there."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from click.testing import CliRunner

from db.campaigns import find_campaign
from db.results.pairs import repaints
from db.runtime import Runtime
from db.settings import Settings
from tests.acceptance.campaign_file import fake_campaign
from tests.acceptance.sample_images import write_images
from workers.broker import EmbeddedBroker

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from db.results.pairs import Repaint

#: The installed command, beside the interpreter that runs the tests.
PARAGONE = str(Path(sys.executable).with_name("paragone"))

#: Seconds that anything may take: other work shares the machine.
PATIENCE = 240.0

#: Idle workers poll often.
FAST_POLLING = {"PARAGONE_LOOK_SECONDS": "0.5"}

#: Whoever crashed is missed, restarted and retried soon. The lease stays long beside the heartbeat: other work shares the machine.
FAST_RECOVERY = FAST_POLLING | {
    "PARAGONE_LEASE_SECONDS": "4",
    "PARAGONE_HEARTBEAT_SECONDS": "0.5",
    "PARAGONE_SWEEP_SECONDS": "0.5",
    "PARAGONE_RETRY_SECONDS": "0.2",
    "PARAGONE_RESTART_SECONDS": "0.1",
}


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A data directory, the settings beside it, and the commands run there."""

    directory: Path
    settings: dict[str, str] = field(default_factory=dict)
    #: Where its commands are run; None: where the tests are.
    working_directory: Path | None = None
    #: What was opened in this process, by this installation and those made of it.
    _opened: list[Runtime] = field(default_factory=list, repr=False)

    def on(self, directory: Path, **settings: str) -> Installation:
        """Another machine with the same settings and more, and a data directory of its own."""
        return replace(self, directory=directory, settings=self.settings | settings)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its commands: of Paragone's variables only those that this installation sets."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PARAGONE_")}
        offline = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        return kept | offline | {"PARAGONE_DATA_DIR": str(self.directory)} | self.settings

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever that is."""
        command = [PARAGONE, *map(str, arguments)]
        return subprocess.run(
            command, env=self.environment, cwd=self.working_directory, capture_output=True, text=True, check=False, timeout=PATIENCE
        )

    def output_of(self, *arguments: object) -> str:
        """Run a command that must succeed; returns its standard output."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def json_of(self, *arguments: object) -> Any:
        """Run a command with `--json`; returns what it printed, parsed."""
        return json.loads(self.output_of(*arguments, "--json"))

    def plan(self, count: int, *, bright: Collection[int] = (), **campaign: Any) -> None:
        """Register so many originals and plan a campaign of fakes, in this process: what other tests prove by the installed command.

        `campaign` holds arguments of `fake_campaign`.
        """
        folder = self.directory.parent
        write_images(folder / "originals", count, bright=bright)
        self._call("ingest", folder / "originals")
        self._call("enqueue", "--config", fake_campaign(folder / "campaign.toml", **campaign))

    def _call(self, name: str, *arguments: object) -> None:
        (point,) = entry_points(group="paragone.commands", name=name)
        CliRunner().invoke(point.load(), [*map(str, arguments)], obj=self.runtime, catch_exceptions=False)

    @contextlib.contextmanager
    def working(self, *options: str, gpus: str = "none") -> Iterator[RunningFleet]:
        """Run `paragone work`; whatever is left of it is killed when the block ends."""
        self.directory.mkdir(parents=True, exist_ok=True)
        log = self.directory / f"work-{time.monotonic_ns()}.log"
        with log.open("w") as file:
            command = [PARAGONE, "work", "--gpus", gpus, *options]
            process = subprocess.Popen(command, env=self.environment, cwd=self.working_directory, stdout=file, stderr=file)
        fleet = RunningFleet(process=process, log=log)
        try:
            yield fleet
        finally:
            fleet.kill()

    @cached_property
    def runtime(self) -> Runtime:
        """The database and the store of this installation."""
        named = {name.removeprefix("PARAGONE_").lower(): value for name, value in self.settings.items()}
        opened = Runtime(Settings.model_validate({"data_dir": self.directory, **named}))
        self._opened.append(opened)
        return opened

    def repaints(self, campaign: str | None = None) -> list[Repaint]:
        """The current repaints of a campaign, the latest if none is named."""
        return repaints(self.runtime.database, find_campaign(self.runtime.database, campaign).id)

    def close(self) -> None:
        """Close the databases, and stop a broker whose users were all killed."""
        for runtime in self._opened:
            runtime.database.dispose()
        if (self.directory / "broker").is_dir():
            with EmbeddedBroker(self.directory / "broker"):
                pass


@dataclass(frozen=True, kw_only=True)
class FinishedDemo:
    """A demo that has ended."""

    installation: Installation
    #: Its `--out`.
    folder: Path
    printed: str
    exit_code: int


@dataclass(frozen=True, kw_only=True)
class RunningFleet:
    """A running `paragone work`: the supervisor and its worker processes."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text()

    def workers(self) -> list[psutil.Process]:
        """The worker processes that are alive now."""
        try:
            found = psutil.Process(self.process.pid).children()
            return [process for process in found if process.status() != psutil.STATUS_ZOMBIE and "-m" in process.cmdline()]
        except psutil.NoSuchProcess:
            return []

    def wait(self) -> int:
        """Wait for its end; returns the exit code."""
        try:
            return self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end:\n{self.output}") from None

    def stop(self) -> int:
        """Send SIGTERM and wait; returns the exit code."""
        self.process.terminate()
        return self.wait()

    def freeze(self) -> None:
        """Suspend the workers."""
        for process in self.workers():
            process.suspend()

    def thaw(self) -> None:
        """Resume the workers."""
        for process in self.workers():
            process.resume()

    def kill(self) -> None:
        """Send SIGKILL to the workers and their supervisor at once."""
        with contextlib.suppress(psutil.NoSuchProcess):
            supervisor = psutil.Process(self.process.pid)
            supervisor.suspend()  # it must not start another worker meanwhile
            for process in [*supervisor.children(recursive=True), supervisor]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait()


def until(condition: Callable[[], Any], *, what: str, seconds: float = PATIENCE) -> Any:
    """Wait for something true and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)
    return found
