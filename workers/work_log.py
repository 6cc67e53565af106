"""What a worker process says of its work: a line a minute if something happened, adaptations to a full device, and a last line."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from db.durations import format_duration
from db.enums import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from workers.observers import BatchFacts

logger = logging.getLogger(__name__)

#: Seconds between two summaries.
SUMMARY_SECONDS = 60.0
#: Jobs left that are counted; beyond that only that there are more is said.
MOST_COUNTED = 10_000


@dataclass(kw_only=True)
class _Sums:
    """What was done in some stretch of time."""

    since: float
    done: Counter[Stage] = field(default_factory=Counter)
    failed: Counter[Stage] = field(default_factory=Counter)
    batches: int = 0
    #: Seconds of the device.
    device: float = 0.0

    def add(self, facts: BatchFacts) -> None:
        self.done[facts.stage] += facts.done
        self.failed[facts.stage] += facts.failed
        self.batches += 1
        self.device += facts.seconds.get("device", 0.0)

    @property
    def jobs(self) -> int:
        return self.done.total() + self.failed.total()


class WorkLog:
    """Adds up what it observes and logs it; all threads of the worker may tell it."""

    def __init__(self, *, left: Callable[[], int | None] = lambda: None, clock: Callable[[], float] = time.monotonic) -> None:
        """`left` counts the jobs that are left, up to one more than `MOST_COUNTED`; None if nobody can tell."""
        self._left = left
        self._clock = clock
        self._lock = threading.Lock()
        self._whole = _Sums(since=clock())
        self._minute = _Sums(since=clock())
        self._loaded = self._evicted = self._out_of_memory = 0

    def model_loaded(self, name: str, seconds: float) -> None:  # noqa: ARG002  # the cache itself logs it, with the revision
        """Count it."""
        with self._lock:
            self._loaded += 1

    def model_evicted(self, name: str) -> None:
        """Say so."""
        with self._lock:
            self._evicted += 1
        logger.info("unloaded %s to make room", name)

    def out_of_memory(self, stage: Stage, batch_size: int) -> None:
        """Say so."""
        with self._lock:
            self._out_of_memory += 1
        logger.warning("out of memory at %s: %d together were too many", stage, batch_size, extra={"stage": stage})

    def batch_done(self, facts: BatchFacts) -> None:
        """Add it up."""
        with self._lock:
            self._whole.add(facts)
            self._minute.add(facts)

    def summarize(self) -> None:
        """Log what was done since the last summary, if anything was."""
        with self._lock:
            sums, self._minute = self._minute, _Sums(since=self._clock())
        if not sums.batches:
            return
        seconds = self._clock() - sums.since
        facts = _facts(sums, seconds)
        left = self._left()
        if left is None:
            more = ""
        else:
            facts["left"] = left
            more = f"; {left:,} left" if left <= MOST_COUNTED else f"; more than {MOST_COUNTED:,} left"
        logger.info("in %.0f s: %s%s", seconds, _said(sums, facts), more, extra=facts)

    def end(self, reason: str) -> None:
        """Log what was done in all; `reason` says why the worker ends."""
        with self._lock:
            sums, models = self._whole, self._models_in_words()
        seconds = self._clock() - sums.since
        facts = _facts(sums, seconds)
        said = _said(sums, facts) if sums.batches else "no batch was finished"
        logger.info("worked for %s, %s: %s%s", format_duration(seconds), reason, said, models, extra=facts)

    def _models_in_words(self) -> str:
        loaded = f"; {_counted(self._loaded, 'model')} loaded" if self._loaded else ""
        evicted = f", {self._evicted} unloaded to make room" if self._evicted else ""
        return loaded + evicted + (f", out of memory {_counted(self._out_of_memory, 'time')}" if self._out_of_memory else "")


def _facts(sums: _Sums, seconds: float) -> dict[str, object]:
    """As the fields of a JSON line."""
    by_stage = {str(stage): {"done": sums.done[stage], "failed": sums.failed[stage]} for stage in _stages(sums)}
    return {
        "seconds": round(seconds, 1),
        "done": sums.done.total(),
        "failed": sums.failed.total(),
        "jobs": by_stage,
        "rate": round(sums.jobs / max(seconds, 0.001), 2),
        "busy": round(min(1.0, sums.device / max(seconds, 0.001)), 3),
    }


def _said(sums: _Sums, facts: dict[str, object]) -> str:
    """The same in words."""
    stages = ", ".join(_of_stage(sums, stage) for stage in _stages(sums))
    each = sums.jobs / max(1, sums.batches)
    return f"{stages}; {facts['rate']} jobs/s in batches of {each:.1f}, device busy {100 * float(str(facts['busy'])):.0f} %"


def _of_stage(sums: _Sums, stage: Stage) -> str:
    failed = f" and {sums.failed[stage]:,} failed" if sums.failed[stage] else ""
    return f"{stage} {sums.done[stage]:,} done{failed}"


def _stages(sums: _Sums) -> list[Stage]:
    return [stage for stage in Stage if sums.done[stage] or sums.failed[stage]]


def _counted(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
