"""The guard of an embedded broker: holds the server as its child and ends it when the last user is gone, however that one died.

A program of its own, run by path with nothing but the standard library: `guard.py USERS_LOCK PID_FILE SOCKET SERVER [OPTION...]`.
Every user holds USERS_LOCK shared, and the kernel lets go of it when a user dies. The guard waits for it alone; from then on nobody can
join until the server is gone and the guard has ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Start the server, wait for the last user, stop the server."""
    users_lock, pid_file, socket, *command = sys.argv[1:]
    # Whoever stops a whole group of processes means the workers: the server is there until they have finished.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    users = os.open(users_lock, os.O_RDWR)
    server = subprocess.Popen(command, cwd=Path(users_lock).parent, preexec_fn=_end_with_guard)  # noqa: S603, PLW1509  # no threads here
    # A server that was stopped or replaced by a user leaves nothing to guard. One that ended before this line is found below.
    signal.signal(signal.SIGCHLD, lambda *_: os._exit(0))
    if server.poll() is None:
        fcntl.flock(users, fcntl.LOCK_EX)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        server.kill()  # what it holds is worth nothing
        server.wait()
        for path in (pid_file, socket):
            with contextlib.suppress(OSError):
                Path(path).unlink()
    os._exit(0)


def _end_with_guard() -> None:
    """Between fork and exec of the server: it must not outlive a guard that was killed, nor ignore what the guard ignores."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(OSError, AttributeError):  # elsewhere than on Linux
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
