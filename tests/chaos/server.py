"""A server process of a run that can be killed, frozen and started again; it and all of its children make one process group."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

#: Seconds that a server may take until it answers; other work shares the machine.
PATIENCE = 60.0


@dataclass(kw_only=True)
class ServerProcess:
    """One server, its log, and the way to see that it answers."""

    command: Sequence[str]
    directory: Path
    answers: Callable[[], bool]
    user: str | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                extra_groups=[] if self.user else None,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.command[0]} does not answer:\n{(self.directory / 'server.log').read_text()[-2000:]}")
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        """The pid of the process that was started; raises if none runs."""
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"{self.command[0]} is not running")
        return self._process.pid

    def signal_group(self, number: int) -> None:
        """Send a signal to the server and all of its children; PostgreSQL puts each of them into a group of its own."""
        main = psutil.Process(self.pid)
        for process in [main, *main.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL to all of it, as when its machine dies."""
        main = psutil.Process(self.pid)
        main.suspend()  # it must not start another child meanwhile
        family = [*main.children(recursive=True), main]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._wait()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Send a signal to the main process alone and wait for its end."""
        os.kill(self.pid, number)
        self._wait()

    def close(self) -> None:
        """End it, in whatever state it is."""
        if self._process is not None and self._process.poll() is None:
            self.signal_group(signal.SIGCONT)
            self.kill()

    def _wait(self) -> None:
        if self._process is not None:
            self._process.wait(PATIENCE)


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
