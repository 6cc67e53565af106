"""Where the time of each batch goes: a stopwatch for each thread, whose readings the observers get when the batch is committed."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from db.errors import PersistenceError
from workers.observers import BatchFacts, Observers

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from db.jobs.claim import Batch
    from db.jobs.complete import CompletedBatch
    from workers.observers import BatchPart


class BatchRecorder:
    """Times the parts of batches, of one at a time in each thread. A reading of the clock at each end of a part is all it costs."""

    def __init__(
        self,
        observers: Observers | None = None,
        *,
        campaign_name: Callable[[int], str] = str,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`campaign_name` finds the name of a campaign by its id; it may raise `PersistenceError`."""
        self.observers = Observers() if observers is None else observers
        self._campaign_name = campaign_name
        self._names: dict[int, str] = {}
        self._clock = clock
        self._of_thread = threading.local()

    def begin(self) -> None:
        """The calling thread looks for its next batch: what it has timed so far is forgotten."""
        self._of_thread.stopwatch = _Stopwatch(self._clock)

    def part(self, part: BatchPart) -> _TimedPart:
        """Count the time of a `with` block as this part of the thread's batch, and not as that of the part around it."""
        return _TimedPart(self._stopwatch, part)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by part of the thread's batch so far."""
        return dict(self._stopwatch.seconds)

    def batch_done(self, batch: Batch, completed: CompletedBatch) -> None:
        """The thread's batch is committed: tell the observers, if there are any."""
        if not self.observers:
            return
        facts = BatchFacts(
            stage=batch.stage,
            campaign=self.name_of(batch.campaign_id),
            jobs=len(batch.jobs),
            done=len(completed.done),
            failed=len(completed.failed),
            seconds=self.seconds,
        )
        self.observers.batch_done(facts)

    def name_of(self, campaign_id: int) -> str:
        """The campaign's name; its id as text while the database, asked once for each campaign, is away."""
        if campaign_id not in self._names:
            try:
                self._names[campaign_id] = self._campaign_name(campaign_id)
            except PersistenceError:
                return str(campaign_id)
        return self._names[campaign_id]

    @property
    def _stopwatch(self) -> _Stopwatch:
        found: _Stopwatch | None = getattr(self._of_thread, "stopwatch", None)
        if found is None:
            found = self._of_thread.stopwatch = _Stopwatch(self._clock)
        return found


class _Stopwatch:
    """Seconds by part, where one part may interrupt another."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.seconds: dict[str, float] = {}
        self._clock = clock
        self._open: list[BatchPart] = []
        self._since = 0.0

    def enter(self, part: BatchPart) -> None:
        self._charge()
        self._open.append(part)

    def leave(self) -> None:
        self._charge()
        self._open.pop()

    def _charge(self) -> None:
        moment = self._clock()
        if self._open:
            part = self._open[-1]
            self.seconds[part] = self.seconds.get(part, 0.0) + moment - self._since
        self._since = moment


class _TimedPart:
    """The `with` block of one part. A class, for a generator would cost three times as much."""

    __slots__ = ("_part", "_stopwatch")

    def __init__(self, stopwatch: _Stopwatch, part: BatchPart) -> None:
        self._stopwatch = stopwatch
        self._part = part

    def __enter__(self) -> None:
        self._stopwatch.enter(self._part)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopwatch.leave()
