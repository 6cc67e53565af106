"""Ending with the process that started this one, however it died."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Get SIGTERM when the parent is gone: standard input is a pipe that it holds, and on Linux the kernel sees to it as well.

    The pipe's thread needs the interpreter, which native code may hold for minutes; the kernel needs nobody.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    threading.Thread(target=_wait_for_parent, name="supervision", daemon=True).start()


def _wait_for_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)
