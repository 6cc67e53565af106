"""One server process on a unix socket: start it under its guard, ask whether it answers, stop it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from workers.broker import guard
from workers.broker.errors import BrokerUnavailable
from workers.broker.program import server_program

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds that a server may take to start; it needs 0.1 on an idle machine.
START_SECONDS = 20.0
#: Seconds that a killed server may take to be gone.
STOP_SECONDS = 5.0
#: Seconds that it may take to answer; it may have to wait for its share of a busy machine.
ANSWER_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Server:
    """The server of one directory. Callers see to it that only one of them starts or stops it at a time.

    A guard holds it as its child and ends it when nobody holds `users_lock` any more.
    """

    directory: Path
    socket: Path
    #: Held shared by every user.
    users_lock: Path

    @property
    def log(self) -> Path:
        """Where the server logs."""
        return self.directory / "server.log"

    @property
    def pid_file(self) -> Path:
        """The process that serves, as `pid identity`: a bare number may mean another program after a while."""
        return self.directory / "server.pid"

    def answers(self) -> bool:
        """Whether a server answers on the socket."""
        try:
            with self._client() as client:
                return bool(client.ping())
        except RedisError:
            return False

    def start(self) -> None:
        """Start it and wait until it answers; raises `BrokerUnavailable` with the reason."""
        program = server_program()
        self._end_process()  # one that no longer answers
        self.socket.unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)
        launched = self._launch(program)
        if not _until(lambda: launched.poll() is not None or self.answers(), START_SECONDS) or launched.poll() is not None:
            self._give_up(launched)
            raise BrokerUnavailable(f"{program} did not start: {self._reason()}")
        with self._client() as client:
            pid = int(client.info("server")["process_id"])
        self.pid_file.write_text(f"{pid} {_identity(pid)}\n")

    def stop(self) -> None:
        """Stop it; what it holds is worth nothing."""
        if self._process() is None:  # nobody knows its pid
            with contextlib.suppress(RedisError), self._client() as client:
                client.shutdown(nosave=True)
        self._end_process()
        self.socket.unlink(missing_ok=True)

    def is_gone(self) -> bool:
        """Whether the process that the pid file means runs no more, and nobody answers."""
        return self._process() is None and not self.answers()

    def _launch(self, program: Path) -> subprocess.Popen[bytes]:
        """Start a guard, in a session of its own, with the server under it; both write to the log."""
        command = [sys.executable, "-I", "-S", guard.__file__, *map(str, (self.users_lock, self.pid_file, self.socket, program))]
        with self.log.open("ab") as log:
            launched = subprocess.Popen(  # noqa: S603 - see server_program
                [*command, *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        # It may outlive this process. If it does not, somebody must take note of its end.
        threading.Thread(target=launched.wait, name="broker-guard", daemon=True).start()
        return launched

    def _give_up(self, launched: subprocess.Popen[bytes]) -> None:
        if launched.poll() is None:
            launched.kill()  # the server goes with it

    def _client(self) -> Redis:
        once = Retry(NoBackoff(), 0)
        return Redis(unix_socket_path=str(self.socket), socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS, retry=once)

    def _options(self) -> list[str]:
        options = {
            "--port": "0",
            "--unixsocket": str(self.socket),
            "--unixsocketperm": "700",
            "--dir": str(self.directory),
            # A broker that lost everything costs nothing.
            "--save": "",
            "--appendonly": "no",
            "--daemonize": "no",
            "--logfile": str(self.log),
            "--loglevel": "warning",
        }
        return [part for option in options.items() for part in option]

    def _process(self) -> int | None:
        """The pid of the running server that the pid file means, or None."""
        try:
            pid, identity = self.pid_file.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if pid.isdecimal() and _identity(int(pid)) == identity else None

    def _end_process(self) -> None:
        pid = self._process()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            _until(lambda: self._process() is None, STOP_SECONDS)
        self.pid_file.unlink(missing_ok=True)

    def _reason(self) -> str:
        logged = self.log.read_text(errors="replace") if self.log.exists() else ""
        lines = logged.strip().splitlines()
        return lines[-1] if lines else f"no answer within {START_SECONDS:.0f} s"


def _identity(pid: int) -> str:
    """A text that no other process has: boot, name and moment of the start; empty if it does not run, or is dead.

    The moment alone is not enough: the kernel counts it in hundredths of a second, in which several programs may start.
    """
    try:
        before, after = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)
        name, fields = "_".join(before.split("(", 1)[1].split()), after.split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (OSError, IndexError):
        return ""
    state, started = fields[0], fields[19]
    return "" if state in "ZX" else f"{boot}:{started}:{name}"


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
