"""The steps of the demo, each one of Paragone's own commands in a process of its own, with a folder of its own for everything."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from db.models_directory import POCKET
from db.monitoring.progress import progress
from db.runtime import Runtime
from db.settings import Settings
from producer.errors import DemoFailed

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

#: Worker processes on this machine.
WORKERS = 2
#: Seconds between two lines about the work's progress.
TELL_SECONDS = 5.0
SPLITS = ("80/20", "40/60")

_POCKET_NOTE = "The models are the pocket ones that ship with Paragone: small, and at home in paintings like these alone."


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What the demo is asked to do: artworks to paint, and the folder for the samples, the record, the models and the report."""

    out: Path
    artworks: int
    seed: int
    #: What `--models` takes.
    models: str = POCKET

    @property
    def report(self) -> Path:
        """The page to open in the end."""
        return self.out / "report" / "index.html"


def run_demo(demo: Demo, console: Console) -> None:
    """Paint, clean, plan, work, train, compare and report; raises `DemoFailed` with the step that ended wrongly.

    Running it again in the same folder goes on where it stopped.
    """
    steps = _Steps(demo, console)
    samples = demo.out / "samples"
    steps.step("painting sample artworks", "samples", samples, "--count", demo.artworks, "--seed", demo.seed)
    steps.step("reading and cleaning the catalogue", "ingest", samples / "classes.csv")
    steps.step("planning the campaign", "enqueue", "--campaign", "demo", "--models", demo.models)
    if demo.models == POCKET:
        console.print(_POCKET_NOTE, soft_wrap=True)
    steps.work(f"captioning, writing prompts, repainting, with {WORKERS} worker processes")
    steps.step("where it stands", "status")
    steps.step("training on two splits", "train", *(part for split in SPLITS for part in ("--split", split)), quiet=True)
    one, other = [path for path in sorted(samples.glob("*/*.jpg")) if opens(path)][:2]
    steps.step("comparing two pictures", "compare", one, other)
    steps.step("writing the report", "report", "--out", demo.report.parent)


class _Steps:
    """Runs Paragone's commands on the demo's own folder, whatever the surroundings configure."""

    def __init__(self, demo: Demo, console: Console) -> None:
        self._console = console
        self._number = 0
        self._data = demo.out / "data"
        cores = os.cpu_count() or 1
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("PARAGONE_")} | {
            "PARAGONE_DATA_DIR": str(self._data),
            # Two processes that each take every core slow one another down.
            "OMP_NUM_THREADS": str(max(1, cores // WORKERS)),
        }

    def step(self, title: str, *arguments: object, quiet: bool = False) -> None:
        """Run one command and let it speak; a quiet one speaks only if it fails."""
        self._title(title, *arguments)
        done = subprocess.run(  # noqa: S603  # our own command
            _command(*arguments), env=self._environment, check=False, capture_output=quiet, text=True
        )
        if done.returncode:
            if quiet:
                sys.stderr.write(done.stdout + done.stderr)
            raise DemoFailed(f"the demo stopped at `paragone {_words(arguments)}` (exit code {done.returncode}): its message stands above")
        if quiet:
            self._console.print(_last_table(done.stdout), highlight=False, soft_wrap=True)

    def work(self, title: str) -> None:
        """Run the workers until nothing is left, telling the progress."""
        arguments = ("work", "--gpus", "none", "--until-idle")
        self._title(title, *arguments)
        log = self._data / "workers.log"
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
        runtime = Runtime(Settings(data_dir=self._data))
        told = time.monotonic()
        while any(worker.poll() is None for worker in workers):
            time.sleep(0.2)
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                self._console.print(_progress_line(progress(runtime.database, details=False).jobs), style="dim")
        runtime.database.dispose()

    def _title(self, title: str, *arguments: object) -> None:
        self._number += 1
        self._console.print(f"\n[bold]{self._number}. {title}[/bold]")
        self._console.print(f"$ paragone {_words(arguments)}", style="cyan", highlight=False, soft_wrap=True)


def opens(path: Path) -> bool:
    """Whether this is a whole picture: one broken file is among the samples."""
    try:
        with Image.open(path) as image:
            image.load()
    except OSError:
        return False
    return True


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-P", "-m", "producer.cli", *(str(argument) for argument in arguments)]


def _words(arguments: tuple[object, ...]) -> str:
    return " ".join(str(argument) for argument in arguments)


def _progress_line(jobs: dict[str, dict[str, int]]) -> str:
    return "   ".join(f"{stage} {states.get('done', 0)}/{sum(states.values())}" for stage, states in jobs.items())


def _last_table(output: str) -> str:
    """What a training run prints after its epochs."""
    return "\n".join(line for line in output.splitlines() if " epoch " not in line or ":" not in line)
