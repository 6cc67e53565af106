"""The hosts: every process that was not killed ended with 0, logs and memory are bounded, nothing is left behind."""

from __future__ import annotations

import re
import statistics
import time
from collections import Counter
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.chaos.gates.evidence import Evidence

#: Bytes of log that one worker may write in a minute, in the middle of all this: a planted error is told with its traceback, 2.5 kB, and
#: several come in a minute. (Before, a database that was away made 600 kB a minute.)
LOG_BYTES = 60_000
#: Resident bytes that a worker process may grow by in a minute, once it has warmed up; of those that lived long enough to tell.
GROWTH_BYTES = 4 << 20
WARM_SECONDS, TELLING_SECONDS = 20.0, 60.0
#: Resident bytes that none may exceed.
MOST_BYTES = 320 << 20
#: Seconds until processes that were asked to end must have.
PATIENCE = 15.0

TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*(?P<error>.*)$", re.MULTILINE)


def ended_well(evidence: Evidence) -> list[str]:
    """A supervisor ends when it is asked to, and with 0."""
    found = []
    for ending in (ending for host in evidence.world.hosts for ending in host.endings):
        if ending.why == "unasked":
            found.append(f"{ending.host} ended by itself with {ending.code}")
        elif ending.why != "killed" and ending.code != 0:
            found.append(f"{ending.host} was {ending.why}: it ended with {ending.code}")
    return found


def nobody_complained(evidence: Evidence) -> list[str]:
    """What the conductor and its faults saw that must not be."""
    return evidence.journal.complaints + [
        f"{entry.kind} ({entry.number}): {text}" for entry in evidence.journal.injected for text in entry.complaints
    ]


def logs_bounded(evidence: Evidence) -> list[str]:
    """So many bytes for each minute of a worker, and no traceback but of what was injected."""
    found = []
    tracebacks: Counter[str] = Counter()
    for host in evidence.world.hosts:
        text = host.log.read_text(errors="replace")
        pace = len(text.encode()) / max(1.0, host.seconds_up / 60)
        if pace > LOG_BYTES:
            found.append(f"{host.name} wrote {pace:.0f} bytes a minute")
        tracebacks.update(error for error in unexpected_errors(text))
    return found + [f"{count} x traceback: {error}" for error, count in tracebacks.most_common()]


def unexpected_errors(log: str) -> Iterator[str]:
    """The last lines of tracebacks that were not injected."""
    for match in TRACEBACK.finditer(log):
        if "injected" not in match["error"]:
            yield match["error"][:200]


def memory_flat(evidence: Evidence) -> list[str]:
    """No worker process grows."""
    found = []
    for (host, pid), samples in evidence.watch.memory.items():
        most = max(size for _, size in samples)
        if most > MOST_BYTES:
            found.append(f"a worker of {host} ({pid}) took {most >> 20} MiB")
        warm = [(at, size) for at, size in samples if at - samples[0][0] > WARM_SECONDS]
        if len(warm) > 2 and warm[-1][0] - warm[0][0] > TELLING_SECONDS:
            growth = _growth(warm)
            if growth > GROWTH_BYTES:
                course = ", ".join(f"{size >> 20} at {at - samples[0][0]:.0f} s" for at, size in samples[:: max(1, len(samples) // 12)])
                found.append(f"a worker of {host} ({pid}) grew by {growth / (1 << 20):.1f} MiB a minute: {course}")
    return found


def _growth(samples: Sequence[tuple[float, int]]) -> float:
    """Bytes a minute, as the half that grew less tells it: what leaks grows in both, a thread's first batch takes its arena once."""
    middle = len(samples) // 2
    halves = [half for half in (samples[: middle + 1], samples[middle:]) if len(half) > 1]
    return min(statistics.linear_regression(*zip(*half, strict=True)).slope for half in halves) * 60


def nothing_left_behind(evidence: Evidence) -> list[str]:
    """No process of the run is alive, neither worker nor server."""
    deadline = time.monotonic() + PATIENCE
    while (alive := evidence.world.processes()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return [f"still there: {_command(process)}" for process in alive]


def _command(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())}"
    except psutil.NoSuchProcess:
        return "one that has just ended"
