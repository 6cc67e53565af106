"""The supervisor: one worker process for each device of this host, started again when it dies, with growing pauses."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workers.errors import EXIT_MODEL_TROUBLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from db.enums import Stage
    from db.settings import Settings
    from workers.gpus import Device

logger = logging.getLogger(__name__)

#: Seconds up to which the pauses before restarts double; after a life longer than that the first pause is the settings' again.
LONGEST_PAUSE = 60.0
LOOK_SECONDS = 0.1
#: Seconds beyond the grace period before a process that does not end by itself is killed.
KILL_MARGIN = 5.0


@dataclass(kw_only=True)
class ChildProcess:
    """One device and the process that works on it now."""

    device: Device
    command: list[str]
    environment: dict[str, str] = field(repr=False)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    #: Seconds before the next restart.
    pause: float
    restart_at: float = 0.0
    #: When it was asked to stop.
    stop_asked_at: float | None = None
    #: Exit code of a process that is not to be replaced.
    ended: int | None = None


class Supervisor:
    """Keeps one worker alive on each device until it is asked to stop or all of them are done."""

    def __init__(self, devices: Sequence[Device], *, settings: Settings, stages: Sequence[Stage], until_idle: bool) -> None:
        self._children = [_child_process(device, settings, stages, until_idle=until_idle) for device in devices]
        self._grace = settings.grace_seconds
        self._first_pause = settings.restart_seconds
        self._stopping = False

    def run(self) -> int:
        """Start, watch and restart; returns the worst exit code once every process has ended for good."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        try:
            while any(child.ended is None for child in self._children):
                for child in self._children:
                    self._look_after(child)
                time.sleep(LOOK_SECONDS)
        finally:
            for child in self._children:
                if child.process is not None and child.process.poll() is None:
                    child.process.kill()
        return 1 if any(child.ended for child in self._children) else 0

    def _look_after(self, child: ChildProcess) -> None:
        if child.ended is not None:
            return
        if child.process is None:
            if self._stopping:
                child.ended = 0
            elif time.monotonic() >= child.restart_at:
                _start(child)
            return
        code = child.process.poll()
        if code is None:
            if self._stopping:
                self._end(child, child.process)
            return
        with child.process:  # closes its pipe
            child.process = None
        if code in {0, EXIT_MODEL_TROUBLE} or self._stopping:
            # One that was asked to stop before it could listen has nothing to finish.
            child.ended = 0 if child.stop_asked_at is not None and code == -signal.SIGTERM else code
            return
        lived = time.monotonic() - child.started
        if lived > LONGEST_PAUSE:
            child.pause = self._first_pause
        child.restart_at = time.monotonic() + child.pause
        logger.warning(
            "the worker on %s ended with code %s after %.0f s: starting again in %.0f s", child.device.name, code, lived, child.pause
        )
        child.pause = min(LONGEST_PAUSE, child.pause * 2)

    def _end(self, child: ChildProcess, process: subprocess.Popen[bytes]) -> None:
        if child.stop_asked_at is None:
            child.stop_asked_at = time.monotonic()
            process.terminate()
        elif time.monotonic() - child.stop_asked_at > self._grace + KILL_MARGIN:
            process.kill()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        # Nothing more here: a signal may come between the start of a process and its being recorded.
        self._stopping = True


def _child_process(device: Device, settings: Settings, stages: Sequence[Stage], *, until_idle: bool) -> ChildProcess:
    # -P keeps the working directory off the module path: another `workers` folder must not be run.
    command = [sys.executable, "-P", "-m", "workers", "--supervised", "--name", device.name, "--device", device.torch_device]
    command += ["--stages", ",".join(stages)]
    if until_idle:
        command.append("--until-idle")
    environment = {
        **os.environ,
        "TRANSFORMERS_VERBOSITY": "error",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": device.visible,
        "PARAGONE_DATA_DIR": str(settings.data_dir),
    }
    return ChildProcess(device=device, command=command, environment=environment, pause=settings.restart_seconds)


def _start(child: ChildProcess) -> None:
    # A session of its own keeps Ctrl-C from reaching the workers twice; the pipe ends them with their supervisor.
    child.process = subprocess.Popen(child.command, env=child.environment, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603
    child.started = time.monotonic()
