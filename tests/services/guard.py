"""A child process that cannot outlive pytest: a shell that waits for a pipe to close, then stops the server and removes its files."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# The pipe closes when pytest ends, and also when it is killed; a server started directly would stay behind then.
# Both servers take SIGINT as "disconnect everybody and stop".
SCRIPT = """
directory=$1; shift
"$@" >"$directory/log" 2>&1 &
server=$!
cat >/dev/null
kill -INT $server 2>/dev/null
wait $server
rm -rf "$directory"
"""

#: Seconds that a server may take until it answers; other work shares the machine.
PATIENCE = 60.0


@contextlib.contextmanager
def guarded(command: Sequence[str], directory: Path, answers: Callable[[], bool], *, user: str | None = None) -> Iterator[None]:
    """Run `command` until the block ends or pytest dies; `directory` is removed with it. Waits until `answers()` is true."""
    guard = subprocess.Popen(
        ["sh", "-c", SCRIPT, "guard", str(directory), *command],
        stdin=subprocess.PIPE,
        cwd=directory,
        user=user,
        extra_groups=[] if user else None,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers():
            if time.monotonic() > deadline:
                log = Path(directory, "log").read_text(errors="replace")
                raise RuntimeError(f"{command[0]} did not answer within {PATIENCE:.0f} s:\n{log}")
            time.sleep(0.02)
        yield
    finally:
        if guard.stdin:
            guard.stdin.close()
        guard.wait()


@contextlib.contextmanager
def short_directory(prefix: str, *, user: str | None = None) -> Iterator[Path]:
    """A temporary directory with a path short enough for a unix socket, owned by `user`."""
    # Not TMPDIR, which may be too long for a socket.
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    try:
        if user:
            shutil.chown(directory, user)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
