"""What this host cannot reach now (the image store, an endpoint): nothing that needs it is claimed until it answers again.

An outage is no job's fault: jobs that meet one go back without an attempt. One line is logged when a dependency goes and one when it is
back.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from db.enums import Stage
    from db.jobs.claim import Batch, BatchCandidate

logger = logging.getLogger(__name__)

#: Seconds until a dependency that is away is tried again; each further pause is twice as long, up to the longest.
FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 10.0
#: Seconds for which a dependency must have answered before its next outage begins with the shortest pause.
STEADY_SECONDS = 60.0
#: Seconds after which an outage that only a batch can end is forgotten if no batch wants to be tried: its campaign was paused or cancelled.
FORGET_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Dependency:
    """Something outside this process that batches need."""

    #: As it is called in the log.
    name: str


#: The image store.
STORE = Dependency(name="the image store")


def endpoint(name: str) -> Dependency:
    """A service that some backend asks."""
    return Dependency(name=f"the endpoint {name}")


@dataclass(kw_only=True)
class _Outage:
    text: str
    #: Raises while the dependency is away; None if only a batch can tell.
    probe: Callable[[], None] | None
    #: What needs it.
    stages: set[Stage]
    batch_keys: set[str]
    #: Moments: when it began, when it is tried next, when something that needs it was last seen.
    since: float
    due: float
    wanted: float
    pause: float
    #: The token of the batch that was let through to see whether it is back.
    trial: str | None = None
    #: False until a probe has failed: at the start nothing is known yet.
    known: bool = True

    def concerns(self, stage: Stage, batch_key: str) -> bool:
        return stage in self.stages or batch_key in self.batch_keys


class Outages:
    """The dependencies that are away, as seen from this process. Any thread may call it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._outages: dict[Dependency, _Outage] = {}
        #: How the last outage of a dependency ended: its pause, and when.
        self._ended: dict[Dependency, tuple[float, float]] = {}

    @property
    def troubles(self) -> list[str]:
        """One line for each dependency that is away, for `status`."""
        with self._lock:
            return sorted({outage.text for outage in self._outages.values()})

    def is_away(self, dependency: Dependency) -> bool:
        """Whether it was reported and has not answered since."""
        with self._lock:
            return dependency in self._outages

    def blocks(self, candidate: BatchCandidate) -> bool:
        """Whether a batch of this key needs something that is away."""
        moment = self._clock()
        with self._lock:
            concerned = [one for one in self._outages.values() if one.concerns(candidate.stage, candidate.batch_key)]
            for outage in concerned:
                outage.wanted = moment
            return any(_is_shut(outage, moment) for outage in concerned)

    def report(
        self,
        dependency: Dependency,
        text: str,
        *,
        probe: Callable[[], None] | None = None,
        stages: Collection[Stage] = (),
        batch_keys: Collection[str] = (),
    ) -> None:
        """A dependency is away: what needs it is blocked until it answers.

        Args:
            dependency: what is away.
            text: one line that names the cause and the fix.
            probe: raises while it is away; without one a batch is let through after a pause, and tells by `note_answer`.
            stages: the stages that need it.
            batch_keys: the batch keys that need it.
        """
        with self._lock:
            outage = self._outages.get(dependency)
            if outage is None:
                outage = self._begin(dependency, text, probe, self._first_pause(dependency))
                logger.warning("%s is unavailable, what needs it waits: %s", dependency.name, text)
            elif not outage.known:
                outage.known = True
                logger.warning("%s is unavailable, what needs it waits: %s", dependency.name, text)
            outage.text = text
            outage.stages |= set(stages)
            outage.batch_keys |= set(batch_keys)

    def await_first_answer(self, dependency: Dependency, *, probe: Callable[[], None], stages: Collection[Stage]) -> None:
        """At the start: what needs the dependency is blocked until it has answered once; that alone is not worth a line in the log."""
        with self._lock:
            outage = self._begin(dependency, f"{dependency.name} has not answered yet", probe, 0.0)
            outage.stages |= set(stages)
            outage.known = False

    @contextmanager
    def trial(self, batch: Batch) -> Iterator[bool]:
        """Around the work on a claimed batch: False if it must go back, as it needs what is away and is not the one that tries it."""
        with self._lock:
            moment = self._clock()
            concerned = [one for one in self._outages.values() if one.concerns(batch.stage, batch.batch_key)]
            admitted = not any(_is_shut(outage, moment) for outage in concerned)
            mine = concerned if admitted else []
            for outage in mine:
                outage.trial = batch.token
        try:
            yield admitted
        finally:
            with self._lock:
                for outage in mine:
                    outage.trial = None
                    self._postpone(outage)

    def note_answer(self, batch_key: str, *, asked_at: float) -> None:
        """A service answered a batch of this key that asked it at that moment (on the monotonic clock): outages before that are over."""
        with self._lock:
            over = [
                dependency
                for dependency, outage in self._outages.items()
                if outage.probe is None and batch_key in outage.batch_keys and outage.since <= asked_at
            ]
            for dependency in over:
                self._end(dependency)

    def beat(self) -> bool:
        """Probe what is due; True if something answered, so that what needs it may be claimed. For one thread, every second or so."""
        moment = self._clock()
        with self._lock:
            self._forget(moment)
            due = [(dependency, outage, outage.probe) for dependency, outage in self._outages.items() if outage.due <= moment]
        answered = [dependency for dependency, outage, probe in due if probe is not None and self._probe(dependency, outage, probe)]
        return bool(answered)

    def _probe(self, dependency: Dependency, outage: _Outage, probe: Callable[[], None]) -> bool:
        try:
            probe()
        except DatabaseUnavailable:  # says nothing about the dependency
            with self._lock:
                self._postpone(outage)
            return False
        except Exception as error:  # noqa: BLE001  # whatever it raises, the dependency is not usable
            self.report(dependency, " ".join(str(error).split()) or type(error).__name__)
            with self._lock:
                self._postpone(outage)
            return False
        with self._lock:
            self._end(dependency)
        return True

    def _begin(self, dependency: Dependency, text: str, probe: Callable[[], None] | None, pause: float) -> _Outage:
        moment = self._clock()
        outage = _Outage(
            text=text, probe=probe, stages=set(), batch_keys=set(), since=moment, due=moment + pause, wanted=moment, pause=pause
        )
        self._outages[dependency] = outage
        return outage

    def _end(self, dependency: Dependency) -> None:
        outage = self._outages.pop(dependency)
        moment = self._clock()
        self._ended[dependency] = (outage.pause, moment)
        if outage.known:
            logger.warning("%s is back after %.0f s", dependency.name, moment - outage.since)

    def _first_pause(self, dependency: Dependency) -> float:
        """The shortest, unless it was back for a moment only: what comes and goes must not fill the log."""
        pause, ended_at = self._ended.get(dependency, (0.0, 0.0))
        if pause and self._clock() - ended_at < STEADY_SECONDS:
            return min(LONGEST_PAUSE_SECONDS, pause * 2)
        return FIRST_PAUSE_SECONDS

    def _postpone(self, outage: _Outage) -> None:
        outage.pause = min(LONGEST_PAUSE_SECONDS, outage.pause * 2 or FIRST_PAUSE_SECONDS)
        outage.due = self._clock() + outage.pause

    def _forget(self, moment: float) -> None:
        for dependency, outage in list(self._outages.items()):
            if outage.probe is None and outage.trial is None and moment - outage.wanted > FORGET_SECONDS:
                logger.info("nothing needs %s any more", dependency.name)
                del self._outages[dependency]


def _is_shut(outage: _Outage, moment: float) -> bool:
    return outage.probe is not None or outage.trial is not None or moment < outage.due
