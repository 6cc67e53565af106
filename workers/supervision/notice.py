"""The notice that this host is about to be taken away: a command of the operator's, asked every few seconds, says so by ending with 0.

Clouds announce the end of a spot machine in a place of their own (`docs/how-to/several-hosts.md`); a command can ask any of them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

#: Seconds that the command may take.
PATIENCE_SECONDS = 5.0
#: Bytes of its output that are kept; the rest is read and dropped, so that it never waits for a reader.
KEPT_BYTES = 200
#: Seconds between two looks whether it has ended although something that it started keeps its output open.
LOOK_SECONDS = 0.1
#: Exit codes by which a shell says that it cannot run a command.
NOT_RUN = frozenset({126, 127})


class Trouble(Enum):
    """What may be wrong with a command; each is told once."""

    MISSING = "cannot be run"
    HANGS = "did not end in time and was killed"
    TALKS = "said something without giving notice"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one call of the command."""

    notice: bool
    trouble: Trouble | None
    #: What it printed, in part.
    said: str


class NoticeWatch:
    """Asks a command every few seconds, in a thread of its own, until it gives notice."""

    def __init__(self, command: str, *, seconds: float, on_notice: Callable[[], None], patience_seconds: float = PATIENCE_SECONDS) -> None:
        """`command` is for the shell; `on_notice` is called once."""
        self._command = command
        self._seconds = seconds
        self._patience = patience_seconds
        self._on_notice = on_notice
        self._told: set[Trouble] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="notice", daemon=True)

    def start(self) -> None:
        """Begin to ask, at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; a call under way is ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(self._patience)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                answer = ask(self._command, seconds=self._patience, stopping=self._stopping.is_set)
            except OSError as error:  # no process could be started: the host is out of something
                answer = Answer(notice=False, trouble=Trouble.MISSING, said=str(error))
            if answer.notice:
                self._on_notice()
                return
            self._tell(answer)
            self._stopping.wait(self._seconds)

    def _tell(self, answer: Answer) -> None:
        if answer.trouble is not None and answer.trouble not in self._told and not self._stopping.is_set():
            self._told.add(answer.trouble)
            said = f": {answer.said}" if answer.said else ""
            logger.warning(
                "PARAGONE_NOTICE_COMMAND %s%s; the work goes on, and it is asked again every %g s",
                *(answer.trouble.value, said, self._seconds),
            )


def ask(command: str, *, seconds: float, stopping: Callable[[], bool] = lambda: False) -> Answer:
    """Run the command once, for so many seconds at most; then it is killed with what it started."""
    process = subprocess.Popen(  # noqa: S602  # the operator's own command line
        command,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    with process:
        said = _wait(process, seconds, stopping)
        code = process.poll()
        if code is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
    if code is None:
        return Answer(notice=False, trouble=Trouble.HANGS, said=said)
    if code == 0:
        return Answer(notice=True, trouble=None, said=said)
    if code in NOT_RUN:
        return Answer(notice=False, trouble=Trouble.MISSING, said=said)
    return Answer(notice=False, trouble=Trouble.TALKS if said else None, said=said)


def _wait(process: subprocess.Popen[bytes], seconds: float, stopping: Callable[[], bool]) -> str:
    """Read until the process has ended or its time is over; returns the beginning of what it printed, as one line that can be shown."""
    kept = b""
    deadline = time.monotonic() + seconds
    output = None if process.stdout is None else process.stdout.fileno()
    while time.monotonic() < deadline and not stopping():
        ended = process.poll() is not None
        readable, _, _ = select.select([] if output is None else [output], [], [], 0 if ended else LOOK_SECONDS)
        if output is not None and readable:
            read = os.read(output, 65_536)
            kept = (kept + read)[:KEPT_BYTES]
            output = output if read else None
        elif ended:
            break
    text = kept.decode(errors="replace")
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
