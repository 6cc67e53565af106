"""Paragone's own commands as steps of the demo, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

from db.campaigns import find_campaign
from db.enums import JobState
from db.monitoring.progress import progress
from db.runtime import Runtime
from producer.environment import read_settings
from producer.errors import DemoFailed

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from db.monitoring.progress import Progress
    from db.settings import Settings

#: Worker processes on this machine.
WORKERS = 2
#: Seconds between two lines about the progress of the jobs.
PROGRESS_SECONDS = 5.0


class DemoSteps:
    """Runs Paragone's commands, one after another, in one environment."""

    def __init__(self, settings: Settings, environment: dict[str, str], console: Console) -> None:
        self._settings = settings
        self._environment = environment
        self._console = console
        self._number = 0

    @classmethod
    def alone(cls, data_dir: Path, console: Console) -> DemoSteps:
        """On a data directory of the demo's own, whatever the environment configures."""
        cores = os.cpu_count() or 1
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PARAGONE_")} | {
            "PARAGONE_DATA_DIR": str(data_dir),
            # Two processes that each use every core slow one another down.
            "OMP_NUM_THREADS": str(max(1, cores // WORKERS)),
        }
        settings = read_settings(data_dir=data_dir, database_url="", broker_url="", store_url="")
        return cls(settings, environment, console)

    @classmethod
    def shared(cls, console: Console) -> DemoSteps:
        """On the database, the broker and the store that the environment configures."""
        return cls(read_settings(), dict(os.environ), console)

    def run(self, title: str, *arguments: object, quiet: bool = False) -> None:
        """Run one command; the output of a quiet one is shown only if it fails, otherwise only its last table."""
        self._title(title, *arguments)
        done = subprocess.run(  # noqa: S603  # our own command
            _command(*arguments), env=self._environment, check=False, capture_output=quiet, text=True
        )
        if done.returncode:
            if quiet:
                sys.stderr.write(done.stdout + done.stderr)
            raise DemoFailed(
                f"the demo stopped at `paragone {_command_line(arguments)}` (exit code {done.returncode}): see its message above"
            )
        if quiet:
            self._console.print(_last_table(done.stdout), highlight=False, soft_wrap=True)

    def run_workers(self, title: str) -> None:
        """Run the workers until nothing is left, printing the progress."""
        arguments = ("work", "--gpus", "none", "--until-idle")
        self._title(title, *arguments)
        log = self._settings.data_dir / "workers.log"
        with log.open("ab") as file:
            workers = [
                subprocess.Popen(_command(*arguments), env=self._environment, stdout=file, stderr=file)  # noqa: S603  # our own command
                for _ in range(WORKERS)
            ]
            try:
                self._watch(workers)
            finally:
                for worker in workers:
                    if worker.poll() is None:
                        worker.terminate()
        if any(worker.returncode for worker in workers):
            raise DemoFailed(f"a worker of the demo ended with an error: see {log}")

    def wait_for_workers(self, title: str, campaign: str) -> None:
        """Wait until workers that somebody else started have left nothing of a campaign that can still be done, printing the progress."""
        self._title(title, "status", "--campaign", campaign, "--watch")
        with closing(Runtime(self._settings)) as runtime:
            campaign_id = find_campaign(runtime.database, campaign).id

            def moment() -> Progress:
                within = self._settings.alive_within_seconds
                return progress(runtime.database, campaign_id, workers_within=within, details=False)

            while _can_still_be_done((now := moment()).jobs):
                self._console.print(_progress_line(now.jobs), style="dim")
                if not now.workers:
                    self._console.print("no worker runs: start one with `paragone work`", soft_wrap=True)
                time.sleep(PROGRESS_SECONDS)

    def _watch(self, workers: list[subprocess.Popen[bytes]]) -> None:
        printed_at = time.monotonic()
        with closing(Runtime(self._settings)) as runtime:
            while any(worker.poll() is None for worker in workers):
                time.sleep(0.2)
                if time.monotonic() - printed_at > PROGRESS_SECONDS:
                    printed_at = time.monotonic()
                    self._console.print(_progress_line(progress(runtime.database, details=False).jobs), style="dim")

    def _title(self, title: str, *arguments: object) -> None:
        self._number += 1
        self._console.print(f"\n[bold]{self._number}. {title}[/bold]")
        self._console.print(f"$ paragone {_command_line(arguments)}", style="cyan", highlight=False, soft_wrap=True)


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-P", "-m", "paragone", *(str(argument) for argument in arguments)]


def _command_line(arguments: tuple[object, ...]) -> str:
    return " ".join(str(argument) for argument in arguments)


def _can_still_be_done(jobs: dict[str, dict[str, int]]) -> bool:
    """Whether anything runs or is ready: the next stage becomes ready as the one before it is done, so that the rest waits in vain."""
    return any(states.get(state, 0) for states in jobs.values() for state in (JobState.READY, JobState.RUNNING))


def _progress_line(jobs: dict[str, dict[str, int]]) -> str:
    return "   ".join(f"{stage} {states.get('done', 0)}/{sum(states.values())}" for stage, states in jobs.items())


def _last_table(output: str) -> str:
    """What a training run prints after its epochs."""
    return "\n".join(line for line in output.splitlines() if " epoch " not in line or ":" not in line)
