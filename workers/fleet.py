"""How large the fleet is, as this process last asked: what a thousand workers ask every few seconds is asked less often by each of them.

Up to `FEW` workers nothing is kept, and every worker takes every turn. Beyond that an answer may be older the more workers there are, and
of the turns that it is enough for some to take, such as sweeps, each worker takes its share by chance: the whole fleet sweeps about as
often as `FEW` workers do.
"""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

from db.monitoring.worker_registry import Census, take_census

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.engine import Database
    from db.enums import Stage

#: A fleet of so many workers is asked about whenever it matters, and takes every turn.
FEW = 20
#: Seconds for each living worker that an answer may be old in a larger one.
AGE_PER_WORKER = 0.02
#: Seconds that no answer is older.
OLDEST = 15.0


class Fleet:
    """The living workers, as the database has them. Any thread may ask."""

    def __init__(
        self,
        database: Database,
        *,
        alive_within_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] | None = None,
    ) -> None:
        """`alive_within_seconds`: for how long after its last heartbeat a worker counts as alive; `chance` draws from 0 to 1."""
        self._database = database
        self._alive_within_seconds = alive_within_seconds
        self._clock = clock
        # Must differ between processes: nothing that is recorded depends on it.
        self._chance = chance or random.Random().random
        self._lock = threading.Lock()
        self._known: tuple[Census, float] | None = None

    def threads(self, stage: Stage) -> int:
        """Threads of living workers that serve a stage."""
        return self._census().threads[stage]

    def is_my_turn(self) -> bool:
        """Whether this worker is one of about `FEW` that do now what it is enough that some do."""
        return self._chance() * max(1, self._census().workers) < FEW

    def _census(self) -> Census:
        with self._lock:
            if self._known is not None and self._clock() - self._known[1] < _oldest(self._known[0].workers):
                return self._known[0]
            # Under the lock: threads that ask meanwhile want the same answer.
            moment = self._clock()
            census = take_census(self._database, within_seconds=self._alive_within_seconds)
            self._known = (census, moment)
            return census


def _oldest(workers: int) -> float:
    return 0.0 if workers <= FEW else min(OLDEST, AGE_PER_WORKER * workers)
