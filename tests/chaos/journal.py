"""What was injected, when, what it hit, and how long it took until work went on."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.chaos.faults import Hit
    from tests.chaos.watch import Sight


#: The lanes whose faults keep everybody from work.
OUTAGES = frozenset({"database", "store", "command"})


@dataclass(kw_only=True)
class Injected:
    """One fault that hit something. Moments are seconds since the beginning of the run."""

    number: int
    kind: str
    lane: str
    what: str
    began: float
    #: None while it lasts.
    ended: float | None = None
    victims: tuple[str, ...] = ()
    #: The jobs that were under way.
    jobs: frozenset[int] = frozenset()
    #: The newest attempt that was done when it had ended.
    mark: int | None = None
    #: When a job was done that was not before.
    goes_on_at: float | None = None
    #: When the leases that it took the holders of were gone; its end if it took none.
    freed_at: float | None = None
    complaints: list[str] = field(default_factory=list)

    @property
    def recovered(self) -> bool:
        """Whether work went on, and the victims' jobs were out of their leases."""
        return self.goes_on_at is not None and self.freed_at is not None

    @property
    def goes_on_after(self) -> float | None:
        """Seconds from its end until a job was done."""
        return _after(self.goes_on_at, self.ended)

    @property
    def freed_after(self) -> float | None:
        """Seconds from its end until its victims' jobs were free; None if it had no victims."""
        return _after(self.freed_at, self.ended) if self.victims else None

    def facts(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self) | {"jobs": len(self.jobs), "goes_on_after": self.goes_on_after, "freed_after": self.freed_after}


def _after(moment: float | None, ended: float | None) -> float | None:
    return None if moment is None or ended is None else max(0.0, moment - ended)


class Journal:
    """All faults of a run. Any thread may write."""

    def __init__(self) -> None:
        self.injected: list[Injected] = []
        #: Kind to how often there was nothing to hit.
        self.missed: dict[str, int] = {}
        #: Complaints that belong to no fault, such as a supervisor that ended unasked.
        self.complaints: list[str] = []
        self._lock = threading.Lock()

    def begin(self, kind: str, lane: str, hit: Hit, sight: Sight, *, moment: float) -> Injected:
        """A fault has hit something."""
        with self._lock:
            number = len(self.injected) + 1
            entry = Injected(number=number, kind=kind, lane=lane, what=hit.what, began=moment, victims=hit.victims, jobs=sight.running)
            self.injected.append(entry)
        return entry

    def cleared(self, entry: Injected) -> float:
        """When the last outage was over that began before work went on after this fault: nobody can recover before."""
        until = max(entry.goes_on_at or 0.0, entry.freed_at or 0.0)
        ends = [
            other.ended or 0.0
            for other in self.injected
            if other.lane in OUTAGES and entry.began <= (other.ended or 0.0) and other.began < until
        ]
        return max([entry.ended or 0.0, *(end for end in ends if end <= until)])

    def miss(self, kind: str) -> None:
        """There was nothing to hit."""
        with self._lock:
            self.missed[kind] = self.missed.get(kind, 0) + 1

    def complain(self, text: str) -> None:
        """Something happened that must not."""
        with self._lock:
            self.complaints.append(text)

    def note(self, sight: Sight, *, moment: float) -> None:
        """See whether work goes on after the faults that have ended."""
        held = {token for tokens in sight.leases.values() for token in tokens}
        for entry in list(self.injected):
            if entry.ended is None or entry.recovered or moment < entry.ended:
                continue
            if entry.mark is None:
                entry.mark = sight.last_done
            elif entry.goes_on_at is None and sight.last_done > entry.mark:
                entry.goes_on_at = moment
            if entry.freed_at is None and not held & set(entry.victims):
                entry.freed_at = moment
