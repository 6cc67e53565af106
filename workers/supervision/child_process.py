"""One device of this host and the worker process on it, through all its lives."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from db.logs import json_writer
from workers.identity import new_worker_id
from workers.supervision.child_ending import ChildEnding
from workers.supervision.child_report import ReportReader
from workers.supervision.oom_kills import oom_kills

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from db.enums import Stage
    from db.settings import Settings
    from workers.gpus import Device

#: Seconds for which the last lines of a process that has ended are waited for: whatever it started may hold its standard error open.
COPY_SECONDS = 2.0


@dataclass(kw_only=True)
class ChildProcess:
    """One device and the process that works on it now."""

    device: Device
    command: list[str]
    environment: dict[str, str] = field(repr=False)
    #: The host's name.
    host: str
    #: The name of this life.
    worker_id: str = ""
    process: subprocess.Popen[bytes] | None = None
    report: ReportReader = field(default_factory=ReportReader)
    #: Moments of `time.monotonic()`.
    started: float = 0.0
    restart_at: float = 0.0
    #: When it was asked to stop.
    stop_asked_at: float | None = None
    #: Whether the supervisor killed it because it did not stop.
    killed: bool = False
    #: The kernel's count when it was started.
    oom_kills: int | None = None
    #: Seconds before the next restart.
    pause: float
    #: Exit code of a process that is not to be replaced.
    ended: int | None = None
    #: Passes on what it writes on standard error, where logs are JSON.
    _copier: threading.Thread | None = None

    @classmethod
    def of(
        cls, device: Device, settings: Settings, stages: Sequence[Stage], *, until_idle: bool, metrics_folder: Path | None = None
    ) -> ChildProcess:
        """The process to be for one device; nothing is started. It counts into `metrics_folder` if there is one."""
        # -P keeps the working directory off the module path: another `workers` folder must not be run.
        command = [sys.executable, "-P", "-m", "workers", "--supervised", "--name", device.name, "--device", device.torch_device]
        command += ["--stages", ",".join(stages)]
        if until_idle:
            command.append("--until-idle")
        if metrics_folder is not None:
            command += ["--metrics-folder", str(metrics_folder)]
        environment = {
            **os.environ,
            "TRANSFORMERS_VERBOSITY": "error",
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "CUDA_VISIBLE_DEVICES": device.visible,
            "PARAGONE_DATA_DIR": str(settings.data_dir),
        }
        return cls(device=device, command=command, environment=environment, host=settings.host_name, pause=settings.restart_seconds)

    def start(self) -> None:
        """Begin the next life, under a name of its own."""
        self.worker_id = new_worker_id(self.device.name, self.host)
        self.oom_kills = oom_kills()
        self.report, told = ReportReader.pipe()
        try:
            command = [*self.command, "--worker-id", self.worker_id, "--report-fd", str(told)]
            # A session of its own keeps Ctrl-C from reaching the workers twice; the pipe ends them with their supervisor.
            self.process = subprocess.Popen(  # noqa: S603  # our own command
                command,
                env=self.environment,
                stdin=subprocess.PIPE,
                stderr=None if json_writer() is None else subprocess.PIPE,
                start_new_session=True,
                pass_fds=[told],
            )
            self._copy_stderr(self.process)
        finally:
            os.close(told)
        self.started = time.monotonic()

    def _copy_stderr(self, process: subprocess.Popen[bytes]) -> None:
        """Where logs are JSON, what no Python code prints is to be JSON as well: a driver's complaint, a crash that tells its stack."""
        writer = json_writer()
        if writer is not None and process.stderr is not None:
            copy = partial(writer.copy, process.stderr, worker=self.worker_id)
            process.stderr = None  # the thread's own: closing it would wait for whoever still reads
            self._copier = threading.Thread(target=copy, name="stderr", daemon=True)
            self._copier.start()

    def read_report(self) -> None:
        """Take in what the process told, so that its pipe does not fill."""
        self.report.read()

    def take_ending(self, code: int) -> ChildEnding:
        """Note that the process has ended; returns how."""
        if self._copier is not None:
            self._copier.join(COPY_SECONDS)
        if self.process is not None:
            with self.process:  # closes its pipe
                self.process = None
        self.report.close()
        after = oom_kills()
        return ChildEnding(
            code=code,
            finished=self.report.finished,
            began=self.report.began,
            killed_by_supervisor=self.killed,
            overdue=time.monotonic() >= self.report.deadline,
            out_of_memory=None if self.oom_kills is None or after is None else after > self.oom_kills,
            error=self.report.error,
        )
