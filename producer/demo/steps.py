"""Paragone's own commands as steps of the demo, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from db.monitoring.progress import progress
from db.runtime import Runtime
from db.settings import Settings
from producer.errors import DemoFailed

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

#: Worker processes on this machine.
WORKERS = 2
#: Seconds between two lines about the progress of the jobs.
PROGRESS_SECONDS = 5.0


class DemoSteps:
    """Runs Paragone's commands on the demo's own data directory, whatever the environment configures."""

    def __init__(self, data_dir: Path, console: Console) -> None:
        self._console = console
        self._number = 0
        self._data_dir = data_dir
        cores = os.cpu_count() or 1
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("PARAGONE_")} | {
            "PARAGONE_DATA_DIR": str(self._data_dir),
            # Two processes that each use every core slow one another down.
            "OMP_NUM_THREADS": str(max(1, cores // WORKERS)),
        }

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
        log = self._data_dir / "workers.log"
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

    def _watch(self, workers: list[subprocess.Popen[bytes]]) -> None:
        runtime = Runtime(Settings(data_dir=self._data_dir))
        printed_at = time.monotonic()
        while any(worker.poll() is None for worker in workers):
            time.sleep(0.2)
            if time.monotonic() - printed_at > PROGRESS_SECONDS:
                printed_at = time.monotonic()
                self._console.print(_progress_line(progress(runtime.database, details=False).jobs), style="dim")
        runtime.database.dispose()

    def _title(self, title: str, *arguments: object) -> None:
        self._number += 1
        self._console.print(f"\n[bold]{self._number}. {title}[/bold]")
        self._console.print(f"$ paragone {_command_line(arguments)}", style="cyan", highlight=False, soft_wrap=True)


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-P", "-m", "paragone", *(str(argument) for argument in arguments)]


def _command_line(arguments: tuple[object, ...]) -> str:
    return " ".join(str(argument) for argument in arguments)


def _progress_line(jobs: dict[str, dict[str, int]]) -> str:
    return "   ".join(f"{stage} {states.get('done', 0)}/{sum(states.values())}" for stage, states in jobs.items())


def _last_table(output: str) -> str:
    """What a training run prints after its epochs."""
    return "\n".join(line for line in output.splitlines() if " epoch " not in line or ":" not in line)
