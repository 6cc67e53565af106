"""The worker: threads that claim and run batches, woken by rings or by their own look, beside a heartbeat and a sweeper."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from db.life.claim import Batch, Choice, choices, claim
from db.life.lease import renew
from db.life.sweep import sweep
from db.progress import work_left
from db.vocabulary import Stage
from db.workforce import register_worker, threads_alive, worker_seen, worker_stopped
from workers.backends.errors import DeviceLost
from workers.batch_run import Surroundings, run_batch
from workers.choosing import ranked
from workers.errors import ModelTrouble
from workers.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.house import House
    from workers.announcer import Announcer
    from workers.bell import Bell
    from workers.identity import Identity
    from workers.shelf import Shelf

logger = logging.getLogger(__name__)

#: Seconds for which a thread goes on with the key it had before it asks again what there is: one query instead of two for most batches.
STICK_SECONDS = 1.0
#: Seconds before a model that could not be loaded is tried again.
TROUBLE_SECONDS = 60.0
#: Seconds between two looks whether everything is done.
IDLE_LOOK_SECONDS = 0.5


class Worker:
    """One process's share of the work. `work_until_dry` may be called from any thread; at most `settings.threads` work at once."""

    def __init__(
        self, house: House, around: Surroundings, *, identity: Identity, stages: Sequence[Stage], bell: Bell, stop: threading.Event
    ) -> None:
        self.identity = identity
        self.stages = tuple(stages)
        self._house = house
        self._engine = house.engine
        self._settings = house.settings
        self._around = around
        self._bell = bell
        self._stop = stop
        self._slots = threading.Semaphore(house.settings.threads)
        self._busy = 0
        self._lock = threading.Lock()
        self._waiting_since: dict[str, float] = {}
        self._troubles: dict[str, tuple[float, str]] = {}
        self._stuck_to: tuple[Choice, float] | None = None
        self._sweep_after = 0.0
        self._pulses: list[Pulse] = []
        self._held: set[str] = set()

    @property
    def _shelf(self) -> Shelf:
        return self._around.shelf

    @property
    def _announcer(self) -> Announcer:
        return self._around.announcer

    @property
    def troubles(self) -> list[str]:
        """One line for each batch key whose model can not be used here."""
        with self._lock:
            return sorted({text for _, text in self._troubles.values()})

    def left_undone(self) -> bool:
        """Whether jobs of its stages remain that a trouble keeps it from."""
        return bool(self.troubles) and work_left(self._engine, self.stages)

    def start(self) -> None:
        """Register and begin to beat, sweep and look for work."""
        settings = self._settings
        register_worker(self._engine, stages=self.stages, threads=settings.threads, **self.identity.facts())
        self._announcer.start()
        self._pulses = [
            Pulse("heartbeat", settings.heartbeat_seconds, self._heartbeat),
            Pulse("sweeper", settings.sweep_seconds, self._sweep),
            *(Pulse(f"look-{number}", settings.look_seconds, self._look) for number in range(settings.threads)),
        ]
        for pulse in self._pulses:
            pulse.start()

    def close(self) -> None:
        """Wait for the threads, say goodbye."""
        self._stop.set()
        for pulse in self._pulses[::-1]:
            pulse.stop(timeout=self._settings.grace_seconds)
        self._announcer.stop()
        self._shelf.clear()
        worker_stopped(self._engine, self.identity.worker_id)

    def answer_ring(self) -> None:
        """Work until nothing is left, in this thread; waits for a free slot so that a ring is not lost on a busy worker."""
        while not self._slots.acquire(timeout=1.0):
            if self._stop.is_set():
                return
        try:
            self._work_until_dry()
        finally:
            self._slots.release()

    def until_idle(self) -> None:
        """Return once nothing can be expected any more, or everything left waits for a model that can not be had."""
        quiet = 0
        while not self._stop.wait(IDLE_LOOK_SECONDS):
            try:
                idle = self._busy == 0 and not self._expects_work()
            except Exception as error:  # noqa: BLE001  # a database that is away for a moment is no reason to end
                logger.warning("can not tell whether work is left: %s", str(error).splitlines()[0])
                idle = False
            quiet = quiet + 1 if idle else 0
            if quiet > 1:
                return

    def _expects_work(self) -> bool:
        with self._lock:
            troubled = set(self._troubles)
        return work_left(self._engine, self.stages, without=troubled)

    def _look(self) -> None:
        if self._slots.acquire(blocking=False):
            try:
                self._work_until_dry()
            finally:
                self._slots.release()

    def _work_until_dry(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                self._busy += 1
            try:
                batch = self._claim()
                if batch is None:
                    return
                self._run(batch)
            finally:
                with self._lock:
                    self._busy -= 1

    def _run(self, batch: Batch) -> None:
        self._held.add(batch.token)
        try:
            verdict = run_batch(self._around, batch)
        except ModelTrouble as error:
            with self._lock:
                self._troubles[batch.batch_key] = (time.monotonic() + TROUBLE_SECONDS, str(error))
                self._stuck_to = None
            logger.error("%s", error)  # noqa: TRY400  # one clear line; the traceback would tell nothing
            return
        except DeviceLost as error:
            logger.critical("%s", error)
            os.kill(os.getpid(), signal.SIGKILL)
            return
        finally:
            self._held.discard(batch.token)
        if verdict is not None and verdict.readied:
            following = list(Stage)[list(Stage).index(batch.stage) + 1]
            self._ring([following])

    def _claim(self) -> Batch | None:
        """The best batch there is; the key of the last one is tried first for a while."""
        stuck = self._stuck_to
        if stuck is not None and time.monotonic() - stuck[1] < STICK_SECONDS:
            batch = self._claim_from(stuck[0])
            if batch is not None:
                return batch
        for choice in self._ranked():
            batch = self._claim_from(choice)
            if batch is not None:
                self._stuck_to = (choice, time.monotonic())
                self._waiting_since.pop(choice.batch_key, None)
                return batch
        return None

    def _claim_from(self, choice: Choice) -> Batch | None:
        capacity = self._shelf.capacity(choice.batch_key, choice.parameters)
        return claim(
            self._engine,
            worker_id=self.identity.worker_id,
            choice=choice,
            limit=capacity.limit,
            lease_seconds=self._settings.lease_seconds,
        )

    def _ranked(self) -> list[Choice]:
        moment = time.monotonic()
        found = choices(self._engine, self.stages)
        keys = {choice.batch_key for choice in found}
        with self._lock:
            self._troubles = {key: trouble for key, trouble in self._troubles.items() if trouble[0] > moment}
            troubled = set(self._troubles)
            self._waiting_since = {key: self._waiting_since.get(key, moment) for key in keys}
            waiting_since = dict(self._waiting_since)
        usable = [choice for choice in found if choice.batch_key not in troubled]
        return ranked(
            usable,
            loaded={choice.batch_key for choice in usable if self._shelf.holds(choice.campaign_id, choice.parameters)},
            waiting_since=waiting_since,
            moment=moment,
            starvation_seconds=self._settings.starvation_seconds,
        )

    def _heartbeat(self) -> None:
        try:
            # Only what a thread is at work on: a batch that was dropped in whatever way must not be kept alive.
            renew(self._engine, sorted(self._held), lease_seconds=self._settings.lease_seconds)
            worker_seen(self._engine, self.identity.worker_id, trouble="; ".join(self.troubles) or None)
        except Exception:
            # Others could not renew either: give them one lease before anybody's jobs are taken.
            self._sweep_after = time.monotonic() + self._settings.lease_seconds
            raise

    def _sweep(self) -> None:
        if time.monotonic() < self._sweep_after:
            return
        try:
            swept = sweep(self._engine, lease_seconds=self._settings.lease_seconds)
        except Exception:
            self._sweep_after = time.monotonic() + self._settings.lease_seconds
            raise
        if swept.returned or swept.poisoned:
            logger.warning("took back %d jobs of silent workers, %d given up as poison", swept.returned, swept.poisoned)
        self._ring({choice.stage for choice in choices(self._engine, list(Stage))})

    def _ring(self, stages: Sequence[Stage] | set[Stage]) -> None:
        within = 2 * self._settings.lease_seconds
        self._bell.top_up(stages, threads=lambda stage: threads_alive(self._engine, stage, within_seconds=within))
