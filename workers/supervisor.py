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

    from db.settings import Settings
    from db.vocabulary import Stage
    from workers.gpus import Device

logger = logging.getLogger(__name__)

#: Seconds before the first restart; doubled up to the longest, and back to the first after a life longer than that.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
LOOK_SECONDS = 0.1
#: Seconds beyond the grace period before a process that does not end by itself is killed.
KILL_MARGIN = 5.0


@dataclass(kw_only=True)
class Post:
    """One device and the process that works on it now."""

    device: Device
    command: list[str]
    environment: dict[str, str] = field(repr=False)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    restart_at: float = 0.0
    #: When it was told to stop.
    told: float | None = None
    #: Exit code of a process that is not to be replaced.
    ended: int | None = None


class Supervisor:
    """Keeps one worker alive on each device until it is told to stop or all of them are done."""

    def __init__(self, devices: Sequence[Device], *, settings: Settings, stages: Sequence[Stage], until_idle: bool) -> None:
        self._posts = [_post(device, settings, stages, until_idle=until_idle) for device in devices]
        self._grace = settings.grace_seconds
        self._stopping = False

    def run(self) -> int:
        """Start, watch and restart; returns the worst exit code once every process has ended for good."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        try:
            while any(post.ended is None for post in self._posts):
                for post in self._posts:
                    self._look_after(post)
                time.sleep(LOOK_SECONDS)
        finally:
            for post in self._posts:
                if post.process is not None and post.process.poll() is None:
                    post.process.kill()
        return 1 if any(post.ended for post in self._posts) else 0

    def _look_after(self, post: Post) -> None:
        if post.ended is not None:
            return
        if post.process is None:
            if self._stopping:
                post.ended = 0
            elif time.monotonic() >= post.restart_at:
                _start(post)
            return
        code = post.process.poll()
        if code is None:
            if self._stopping:
                self._end(post, post.process)
            return
        with post.process:  # closes its pipe
            post.process = None
        if code in {0, EXIT_MODEL_TROUBLE} or self._stopping:
            # One that was told to stop before it could listen has nothing to finish.
            post.ended = 0 if post.told is not None and code == -signal.SIGTERM else code
            return
        lived = time.monotonic() - post.started
        if lived > LONGEST_PAUSE:
            post.pause = FIRST_PAUSE
        post.restart_at = time.monotonic() + post.pause
        logger.warning(
            "the worker on %s ended with code %s after %.0f s: starting again in %.0f s", post.device.name, code, lived, post.pause
        )
        post.pause = min(LONGEST_PAUSE, post.pause * 2)

    def _end(self, post: Post, process: subprocess.Popen[bytes]) -> None:
        if post.told is None:
            post.told = time.monotonic()
            process.terminate()
        elif time.monotonic() - post.told > self._grace + KILL_MARGIN:
            process.kill()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        # Nothing more here: a signal may come between the start of a process and its being written down.
        self._stopping = True


def _post(device: Device, settings: Settings, stages: Sequence[Stage], *, until_idle: bool) -> Post:
    # -P keeps the working directory off the module path: a stranger's `workers` folder must not be run.
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
    return Post(device=device, command=command, environment=environment)


def _start(post: Post) -> None:
    # A session of its own keeps Ctrl-C from reaching the workers twice; the pipe ends them with their supervisor.
    post.process = subprocess.Popen(post.command, env=post.environment, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603
    post.started = time.monotonic()
