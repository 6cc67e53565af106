"""Which batch key a free thread takes next: priority first, then the loaded model unless others starve, then what is nearest to done."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from db.jobs.claim import BatchCandidate

#: Seconds for which the key that was served last is preferred without asking what else there is: one query instead of two for most batches.
STICK_SECONDS = 1.0
#: Seconds before a model that could not be loaded is tried again.
TROUBLE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class _Trouble:
    until: float
    text: str


class Scheduler:
    """Chooses among batch keys; remembers which was served last, since when each waits, and whose model is broken here.

    It starts no thread and asks no database; any thread may call it.
    """

    def __init__(
        self,
        *,
        is_loaded: Callable[[BatchCandidate], bool],
        starvation_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_loaded = is_loaded
        self._starvation_seconds = starvation_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._preferred: tuple[BatchCandidate, float] | None = None
        self._waiting_since: dict[str, float] = {}
        self._troubles: dict[str, _Trouble] = {}

    @property
    def troubles(self) -> list[str]:
        """One line for each cause that keeps batch keys from being served here."""
        with self._lock:
            return sorted({trouble.text for trouble in self._troubles.values()})

    @property
    def broken_keys(self) -> set[str]:
        """The batch keys whose model cannot be used here."""
        with self._lock:
            return set(self._troubles)

    def preferred(self) -> BatchCandidate | None:
        """The key that was chosen last, for `STICK_SECONDS`."""
        with self._lock:
            if self._preferred is None or self._clock() - self._preferred[1] >= STICK_SECONDS:
                return None
            return self._preferred[0]

    def ranked(self, found: Sequence[BatchCandidate]) -> list[BatchCandidate]:
        """Those that can be served here, best first; `found` is everything that has work now."""
        moment = self._clock()
        with self._lock:
            self._troubles = {key: trouble for key, trouble in self._troubles.items() if trouble.until > moment}
            usable = [candidate for candidate in found if candidate.batch_key not in self._troubles]
            waiting_since = {candidate.batch_key: self._waiting_since.get(candidate.batch_key, moment) for candidate in found}
            self._waiting_since = dict(waiting_since)
        return ranked(
            usable,
            loaded={candidate.batch_key for candidate in usable if self._is_loaded(candidate)},
            waiting_since=waiting_since,
            moment=moment,
            starvation_seconds=self._starvation_seconds,
        )

    def note_chosen(self, candidate: BatchCandidate) -> None:
        """A batch of this key was claimed because it ranked best: it is preferred for a while, and waits no more."""
        with self._lock:
            self._preferred = (candidate, self._clock())
            self._waiting_since.pop(candidate.batch_key, None)

    def note_broken(self, batch_key: str, text: str) -> None:
        """The model of this key cannot be used: leave it for `TROUBLE_SECONDS`."""
        with self._lock:
            self._troubles[batch_key] = _Trouble(until=self._clock() + TROUBLE_SECONDS, text=text)
            self._preferred = None


def ranked(
    ready_batches: Sequence[BatchCandidate],
    *,
    loaded: Collection[str],
    waiting_since: Mapping[str, float],
    moment: float,
    starvation_seconds: float,
) -> list[BatchCandidate]:
    """The candidates, best first.

    `loaded` holds the batch keys whose model is on the device, `waiting_since` when each key was first seen with work and not served
    (seconds on the clock of `moment`).
    """

    def worth(candidate: BatchCandidate) -> tuple[int, int, int, int]:
        starved = moment - waiting_since.get(candidate.batch_key, moment) > starvation_seconds
        return (
            -candidate.priority,
            0 if starved else 1,
            0 if candidate.batch_key in loaded else 1,
            -candidate.stage.position,
        )

    return sorted(ready_batches, key=worth)
