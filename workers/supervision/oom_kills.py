"""The kernel's count of processes that were killed for want of memory: it tells that from a SIGKILL that somebody sent."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

_COUNT = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


def oom_kills(*, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """How many there were so far, on this host and in this process's cgroup together; None on a host that does not count."""
    counts = [count for path in (proc / "vmstat", _memory_events(proc, cgroups)) if (count := _count(path)) is not None]
    return sum(counts) if counts else None


def _memory_events(proc: Path, cgroups: Path) -> Path:
    """The events of this process's cgroup (version 2); a worker is in the cgroup of its supervisor."""
    group = "/"
    with contextlib.suppress(OSError):
        for line in (proc / "self/cgroup").read_text().splitlines():
            if line.startswith("0::"):
                group = line.removeprefix("0::")
    return cgroups / group.lstrip("/") / "memory.events"


def _count(path: Path) -> int | None:
    try:
        found = _COUNT.search(path.read_text())
    except OSError:
        return None
    return int(found[1]) if found else None
