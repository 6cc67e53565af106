"""The conductor: lanes that strike one after another, each by its own seeded dice, several at once; then everything is healed.

What each lane strikes follows from the seed alone; when, and what it meets there, from what is alive then.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING

from tests.chaos.faults import FAULTS, Lane, Missed, Scene
from tests.chaos.faults.commands import until_done
from tests.chaos.journal import Journal
from tests.chaos.watch import LOOK_SECONDS, Watch
from tests.chaos.world import MAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.faults import Fault
    from tests.chaos.host import Host
    from tests.chaos.world import World

logger = logging.getLogger(__name__)

#: What is asked for when little work is left for faults to hit.
MORE_WORK = "requeue what is done"
#: Faults under way at once.
AT_ONCE = 4
#: Seconds between a supervisor's end that nobody asked for and its restart, as a cluster does.
RESTART_SECONDS = 1.0
#: Seconds that a child may outlive its killed supervisor, beyond the grace period.
ORPHAN_SECONDS = 30.0


class Conductor:
    """Runs the hosts of a world and troubles them."""

    def __init__(
        self, world: World, *, seed: int, faults: int, kinds: Sequence[str] = (), limit_seconds: float = 7200.0, count_seconds: float = 0.0
    ) -> None:
        """`kinds` are all possible ones if none is given; `count_seconds` pass between two counts of all jobs."""
        self.world = world
        self.watch = Watch(world=world, count_seconds=count_seconds)
        self.journal = Journal()
        self._seed = seed
        self._wanted = faults
        self._limit = limit_seconds
        self._possible = [fault for fault in FAULTS if fault.is_possible(world) and (not kinds or fault.kind in kinds)]
        self._turn = threading.Semaphore(AT_ONCE)
        self._over = threading.Event()
        self._stopped = threading.Event()
        self._began = time.monotonic()
        self._ended_unasked: dict[str, float] = {}

    @property
    def moment(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def run(self) -> None:
        """Start the hosts, inject the faults, heal, wait until nothing is left, and stop the hosts."""
        self.begin()
        self.strike()
        self.finish()

    def begin(self) -> None:
        """Start the hosts and look on; returns once work is under way."""
        self._began = time.monotonic()
        for host in self.world.hosts:
            host.start()
        self.watch.start()
        threading.Thread(target=self._tend, daemon=True).start()
        while not self.watch.sight.last_done and self.moment < self.world.clockwork.ending:
            time.sleep(LOOK_SECONDS)

    def strike(self, hosts: Sequence[Host] | None = None) -> None:
        """Inject the faults, lane beside lane; with `hosts` the processes of these alone."""
        struck = self.world.hosts if hosts is None else hosts
        targets = [(Lane.HOST, host) for host in struck] + [(lane, None) for lane in Lane if lane is not Lane.HOST]
        lanes = [threading.Thread(target=self._lane, args=target, daemon=True) for target in targets]
        for thread in lanes:
            thread.start()
        for thread in lanes:
            thread.join()
        logger.info("%d faults injected in %.0f s", len(self.journal.injected), self.moment)

    def stop_striking(self) -> None:
        """Let `strike` return once what is under way is over."""
        self._stopped.set()

    def finish(self) -> None:
        """Wait until nothing is left, then stop the hosts."""
        self._wait_until_nothing_is_left()
        self.stop_hosts()

    def stop_hosts(self) -> None:
        """Stop the hosts, whatever is left; what does not end in time is a complaint."""
        self._over.set()
        for host in self.world.hosts:
            host.ask_to_stop()
        for host in self.world.hosts:
            if not host.wait(self.world.clockwork.ending):
                self.journal.complain(f"{host.name} did not end on SIGTERM")
        self.watch.stop()

    def strike_once(self, fault: Fault, scene: Scene) -> bool:
        """Inject one fault, hold it for as long as it lasts, heal; False if there was nothing to hit."""
        try:
            with fault.strike(scene) as hit:
                entry = self.journal.begin(fault.kind, fault.lane, hit, self.watch.sight, moment=self.moment)
                logger.debug("%6.1f %s: %s", self.moment, fault.kind, hit.what)
                time.sleep(hit.seconds)
        except Missed:
            self.journal.miss(fault.kind)
            return False
        entry.complaints = hit.complaints
        entry.ended = self.moment
        return True

    def scene(self, rng: random.Random, host: Host | None = None) -> Scene:
        """What a fault needs to know now."""
        return Scene(world=self.world, watch=self.watch, rng=rng, host=host, progress=len(self.journal.injected) / max(1, self._wanted))

    def _lane(self, lane: Lane, host: Host | None) -> None:
        rng = random.Random(f"{self._seed}/{lane}/{host.name if host else ''}")
        possible = [fault for fault in self._possible if fault.lane is lane]
        while possible and not self._enough():
            self._stopped.wait(rng.uniform(*self.world.clockwork.pauses[lane]))
            (fault,) = rng.choices(possible, [fault.weight for fault in possible])
            if lane is Lane.COMMAND and self._little_is_left():
                fault = next((other for other in possible if other.kind == MORE_WORK), fault)
            # What a fault draws for itself must not change what comes after it.
            own = random.Random(rng.random())
            with self._turn:
                if self._enough():
                    return
                try:
                    self.strike_once(fault, self.scene(own, host))
                except Exception as error:
                    logger.exception("the conductor could not inject %r", fault.kind)
                    self.journal.complain(f"the conductor failed at {fault.kind!r}: {error!r}")

    def _enough(self) -> bool:
        return self._stopped.is_set() or len(self.journal.injected) >= self._wanted or self.moment > self._limit

    def _little_is_left(self) -> bool:
        return self.watch.sight.left < self.world.plan.artworks * 3

    def _tend(self) -> None:
        """What a cluster does: start supervisors again that ended; and note how work goes on."""
        while not self._over.wait(LOOK_SECONDS):
            sight = self.watch.sight
            if sight.at:
                self.journal.note(sight, moment=sight.at - self._began)
            for host in self.world.hosts:
                self._tend_host(host)

    def _tend_host(self, host: Host) -> None:
        if host.ended_unasked():
            ending = host.endings[-1]
            logger.warning("%6.1f %s ended by itself with code %d", self.moment, host.name, ending.code)
            self._ended_unasked[host.name] = time.monotonic()
        if time.monotonic() - self._ended_unasked.get(host.name, time.monotonic()) > RESTART_SECONDS:
            del self._ended_unasked[host.name]
            if host.supervisor() is None:
                host.start()

    def _wait_until_nothing_is_left(self) -> None:
        scene = self.scene(random.Random(0))
        # The last faults are to be seen to be over, too: that takes work.
        more = ("requeue", "--done", "--stage", "recaption")
        for command in (("resume",), *([more] if any(fault.kind == MORE_WORK for fault in self._possible) else [])):
            for text in until_done(scene, *command, "--campaign", MAIN):
                self.journal.complain(text)
        deadline = time.monotonic() + self.world.clockwork.ending
        while time.monotonic() < deadline:
            states = self.watch.sight.states
            recent = time.monotonic() - self.watch.sight.at < 5
            if recent and not states.get("ready") and not states.get("running") and all(entry.recovered for entry in self.journal.injected):
                return
            if recent and not states.get("ready") and not states.get("running"):
                time.sleep(5)
                return
            time.sleep(LOOK_SECONDS)
        self.journal.complain(f"work was left after {self.world.clockwork.ending:.0f} s: {self.watch.sight.states}")
