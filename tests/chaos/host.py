"""One host: a data directory, `paragone work` there, its log, and an account of how each of its processes ended."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from tests.acceptance.installation import PARAGONE

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How one `paragone work` ended."""

    host: str
    #: Seconds of the monotonic clock.
    at: float
    code: int
    #: "killed", "stopped" or, if nobody asked for it, "unasked".
    why: str


@dataclass(kw_only=True)
class Host:
    """A host and the supervisor that runs there, if one does."""

    name: str
    directory: Path
    environment: dict[str, str] = field(repr=False)
    #: Of its database proxy; 0 if there is none.
    port: int = 0
    endings: list[Ending] = field(default_factory=list)
    #: Children whose supervisor was killed: pid to when; they must end by themselves.
    orphans: dict[int, float] = field(default_factory=dict)
    #: Seconds that a supervisor ran here.
    seconds_up: float = 0.0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _started: float = 0.0
    _why: str = "unasked"
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def log(self) -> Path:
        """What its processes wrote."""
        return self.directory / "work.log"

    def start(self) -> None:
        """Run `paragone work`, as the host's service manager does."""
        self.directory.mkdir(parents=True, exist_ok=True)
        command = [PARAGONE, "work", "--gpus", "none"]
        with self._lock, self.log.open("ab") as file:
            if self._process is not None:
                return
            self._why = "unasked"
            self._process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
            self._started = time.monotonic()

    def supervisor(self) -> psutil.Process | None:
        """The supervisor, if it is alive."""
        if self._process is None or self._process.poll() is not None:
            return None
        return psutil.Process(self._process.pid)

    def child(self) -> psutil.Process | None:
        """The worker process, if one is alive."""
        with contextlib.suppress(psutil.NoSuchProcess):
            supervisor = self.supervisor()
            for process in supervisor.children() if supervisor else []:
                with contextlib.suppress(psutil.NoSuchProcess):
                    if process.status() != psutil.STATUS_ZOMBIE and "workers" in process.cmdline():
                        return process
        return None

    def kill(self, *, child: bool) -> None:
        """SIGKILL to the supervisor, and to its child if so wished."""
        supervisor, worker = self.supervisor(), self.child()
        self._why = "killed"
        if supervisor is not None:
            if child and worker is not None:
                supervisor.suspend()  # it must not start another one meanwhile
                worker.kill()
            elif worker is not None:
                self.orphans[worker.pid] = time.monotonic()
            supervisor.kill()
        self._note_end()

    def ask_to_stop(self) -> None:
        """SIGTERM to the supervisor."""
        self._why = "stopped"
        supervisor = self.supervisor()
        if supervisor is not None:
            supervisor.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> bool:
        """Wait for its end; False, and it is killed, if it takes longer."""
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._why = f"stopped, and had not ended {seconds:.0f} s later"
            for process in filter(None, (self.supervisor(), self.child())):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self._note_end()
            return False
        self._note_end()
        return True

    def ended_unasked(self) -> bool:
        """Whether the supervisor ended though nobody asked it to; its end is noted."""
        with self._lock:
            if self._process is None or self._process.poll() is None or self._why != "unasked":
                return False
            self._note_end()
            return True

    def living_orphans(self) -> dict[int, float]:
        """Seconds for which children have outlived their killed supervisor."""
        self.orphans = {pid: since for pid, since in self.orphans.items() if psutil.pid_exists(pid) and _runs(pid)}
        return {pid: time.monotonic() - since for pid, since in self.orphans.items()}

    def _note_end(self) -> None:
        with self._lock:
            if self._process is None:
                return
            code = self._process.wait()
            self._process = None
            self.seconds_up += time.monotonic() - self._started
            self.endings.append(Ending(host=self.name, at=time.monotonic(), code=code, why=self._why))


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
