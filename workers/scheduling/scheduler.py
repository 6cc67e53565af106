"""Which batch key a free thread takes next: priority first, then the campaign that was served least, then what is nearest to done.

Between campaigns of equal priority: fair shares (`workers.scheduling.fair_shares`), ties by the campaign's number. Within a campaign: the
later stage first, so that its first images are finished within minutes; of equal stages the one that was chosen least recently. A loaded
model has the preference, within a bound (`workers.scheduling.model_turns`).

How long anything waits beside others of equal priority, with `bound` = `starvation_seconds`:

- A campaign of n, its model on the device or with room there: until each of the others was served as much as it, one batch each in the
  ordinary case and never more than `bound` each.
- A model for which another has to leave: at most `bound` from the moment when it has work, beside the time that loading takes and the
  batches that are under way at each change, if no more than eight others wait with it. Then it works for its share of the time, and the
  other waits.
- An earlier stage of a campaign: until its later stages have nothing ready.

So every campaign is served within n x `bound`, whatever the others do. All of this is decided in each worker process for itself.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from itertools import count, groupby
from typing import TYPE_CHECKING

from workers.scheduling.fair_shares import FairShares
from workers.scheduling.model_turns import ModelNeed, ModelTurns

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from db.jobs.claim import BatchCandidate

#: Seconds for which the key that was chosen last is preferred without asking what else there is: one query instead of two for most batches.
STICK_SECONDS = 1.0
#: The same while other keys have work too.
CONTESTED_STICK_SECONDS = 0.1
#: Seconds before a model that could not be loaded is tried again.
TROUBLE_SECONDS = 60.0

_NOTHING = ModelNeed(model=None, evicts=False)


@dataclass(frozen=True, kw_only=True)
class _Trouble:
    until: float
    text: str


class Scheduler:
    """Chooses among batch keys; remembers what each campaign was served, which models wait for their turn, and whose model is broken here.

    It starts no thread and asks no database; any thread may call it.
    """

    def __init__(
        self,
        *,
        model_need: Callable[[BatchCandidate, Collection[BatchCandidate]], ModelNeed],
        starvation_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`model_need` says what a batch of a key needs of the device, given the keys of the batches under way."""
        self._model_need = model_need
        self._clock = clock
        self._lock = threading.Lock()
        self._shares = FairShares(longest_lag=starvation_seconds)
        self._turns = ModelTurns(bound_seconds=starvation_seconds)
        self._needs: dict[str, ModelNeed] = {}
        #: Keys whose batch under way brings another model onto the device.
        self._switching: set[str] = set()
        self._preferred: tuple[BatchCandidate, float] | None = None
        self._contested = False
        self._chosen = count()
        self._last_chosen: dict[str, int] = {}
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
        """The key that was chosen last, for `STICK_SECONDS`, or for `CONTESTED_STICK_SECONDS` if others had work too."""
        with self._lock:
            stick = CONTESTED_STICK_SECONDS if self._contested else STICK_SECONDS
            if self._preferred is None or self._clock() - self._preferred[1] >= stick:
                return None
            return self._preferred[0]

    def ranked(self, found: Sequence[BatchCandidate]) -> list[BatchCandidate]:
        """Those that may be claimed now, best first; `found` is everything that has work and can be served by this host."""
        moment = self._clock()
        with self._lock:
            self._troubles = {key: trouble for key, trouble in self._troubles.items() if trouble.until > moment}
            usable = [candidate for candidate in found if candidate.batch_key not in self._troubles]
            under_way = self._shares.under_way
        # Not under the lock: the models may ask the database which revision is theirs.
        needs = {candidate.batch_key: self._model_need(candidate, under_way) for candidate in [*usable, *under_way]}
        with self._lock:
            self._needs = needs
            self._contested = len(usable) > 1
            self._last_chosen = {key: number for key, number in self._last_chosen.items() if key in needs}
            self._shares.look(usable)
            self._turns.look(usable, needs, moment)
            return self._arranged(sorted(usable, key=self._rank), moment)

    def note_chosen(self, candidate: BatchCandidate) -> None:
        """A batch of this key was claimed because it ranked best: it is preferred for a while."""
        with self._lock:
            self._preferred = (candidate, self._clock())
            if self._needs.get(candidate.batch_key, _NOTHING).evicts:
                self._turns.begin(self._clock())
                self._switching.add(candidate.batch_key)
            self._charge(candidate)

    def note_preferred(self, candidate: BatchCandidate) -> None:
        """A batch of this key was claimed because it was still the preferred one."""
        with self._lock:
            self._charge(candidate)

    def note_finished(self, batch_key: str, seconds: float) -> None:
        """A batch that was noted as claimed has ended, however it ended; `seconds` are those that it worked or held the device."""
        with self._lock:
            self._shares.correct(batch_key, seconds)
            if batch_key in self._switching:  # its turn begins when the model is loaded
                self._switching.discard(batch_key)
                self._turns.begin(self._clock())

    def note_broken(self, batch_key: str, text: str) -> None:
        """The model of this key cannot be used: leave it for `TROUBLE_SECONDS`."""
        with self._lock:
            self._troubles[batch_key] = _Trouble(until=self._clock() + TROUBLE_SECONDS, text=text)
            self._preferred = None

    def _charge(self, candidate: BatchCandidate) -> None:
        self._last_chosen[candidate.batch_key] = next(self._chosen)
        self._shares.charge(candidate)

    def _rank(self, candidate: BatchCandidate) -> tuple[float, ...]:
        return (
            -candidate.priority,
            self._shares.virtual_time(candidate),
            candidate.campaign_id,
            -candidate.stage.position,
            self._last_chosen.get(candidate.batch_key, -1),
        )

    def _arranged(self, by_share: Sequence[BatchCandidate], moment: float) -> list[BatchCandidate]:
        # A key that was chosen since the models were asked may be one for the device.
        under_way = [self._needs.get(candidate.batch_key) for candidate in self._shares.under_way]
        device_is_free = all(need is not None and need.model is None for need in under_way)
        best: list[BatchCandidate] = []
        without_device = False
        for _, of_priority in groupby(by_share, key=lambda candidate: candidate.priority):
            tier = [candidate for candidate in of_priority if not without_device or self._needs[candidate.batch_key].model is None]
            if tier:
                arranged, ends = self._turns.arranged(tier, self._needs, moment, device_is_free=device_is_free)
                best += arranged
                without_device = without_device or ends
        return best
