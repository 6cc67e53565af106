"""The worker: threads that claim and run batches, woken by rings or by their own look, beside a heartbeat and a sweeper."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from db.enums import Stage
from db.jobs.claim import Batch, BatchCandidate, claim_batch, ready_batches
from db.jobs.lease import renew
from db.jobs.sweep import sweep
from db.monitoring.work_left import work_left
from db.monitoring.worker_registry import deregister_worker, live_threads, record_heartbeat, register_worker
from workers.backends.errors import DeviceLost
from workers.batch_run import WorkerContext, run_batch
from workers.errors import ModelTrouble
from workers.periodic import PeriodicThread
from workers.scheduling import ranked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.runtime import Runtime
    from workers.identity import Identity
    from workers.model_cache import ModelCache
    from workers.notifier import Notifier
    from workers.task_events import TaskEventSender

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
        self,
        runtime: Runtime,
        worker_context: WorkerContext,
        *,
        identity: Identity,
        stages: Sequence[Stage],
        notifier: Notifier,
        stop: threading.Event,
    ) -> None:
        self.identity = identity
        self.stages = tuple(stages)
        self._runtime = runtime
        self._database = runtime.database
        self._settings = runtime.settings
        self._context = worker_context
        self._notifier = notifier
        self._stop = stop
        self._slots = threading.Semaphore(runtime.settings.threads)
        self._busy = 0
        self._lock = threading.Lock()
        self._waiting_since: dict[str, float] = {}
        self._troubles: dict[str, tuple[float, str]] = {}
        self._stuck_to: tuple[BatchCandidate, float] | None = None
        self._sweep_after = 0.0
        self._threads: list[PeriodicThread] = []
        self._held: set[str] = set()

    @property
    def _models(self) -> ModelCache:
        return self._context.models

    @property
    def _task_events(self) -> TaskEventSender:
        return self._context.task_events

    @property
    def troubles(self) -> list[str]:
        """One line for each batch key whose model cannot be used here."""
        with self._lock:
            return sorted({text for _, text in self._troubles.values()})

    def left_undone(self) -> bool:
        """Whether jobs of its stages remain that a trouble keeps it from."""
        return bool(self.troubles) and work_left(self._database, self.stages)

    def start(self) -> None:
        """Register and begin to beat, sweep and look for work."""
        settings = self._settings
        register_worker(self._database, stages=self.stages, threads=settings.threads, **self.identity.facts())
        self._task_events.start()
        self._threads = [
            PeriodicThread("heartbeat", settings.heartbeat_seconds, self._heartbeat),
            PeriodicThread("sweeper", settings.sweep_seconds, self._sweep),
            *(PeriodicThread(f"look-{number}", settings.look_seconds, self._look) for number in range(settings.threads)),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Wait for the threads, say goodbye."""
        self._stop.set()
        for thread in self._threads[::-1]:
            thread.stop(timeout=self._settings.grace_seconds)
        self._task_events.stop()
        self._models.clear()
        deregister_worker(self._database, self.identity.worker_id)

    def on_wake_up(self) -> None:
        """Work until nothing is left, in this thread; waits for a free slot so that a ring is not lost on a busy worker."""
        while not self._slots.acquire(timeout=1.0):
            if self._stop.is_set():
                return
        try:
            self._work_until_dry()
        finally:
            self._slots.release()

    def until_idle(self) -> None:
        """Return once nothing can be expected any more, or everything left waits for a model that cannot be had."""
        quiet = 0
        while not self._stop.wait(IDLE_LOOK_SECONDS):
            try:
                idle = self._busy == 0 and not self._expects_work()
            except Exception as error:  # noqa: BLE001  # a database that is away for a moment is no reason to end
                logger.warning("cannot tell whether work is left: %s", str(error).splitlines()[0])
                idle = False
            quiet = quiet + 1 if idle else 0
            if quiet > 1:
                return

    def _expects_work(self) -> bool:
        with self._lock:
            troubled = set(self._troubles)
        return work_left(self._database, self.stages, without=troubled)

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
            verdict = run_batch(self._context, batch)
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
            self._wake([following])

    def _claim(self) -> Batch | None:
        """The best batch there is; the key of the last one is tried first for a while."""
        stuck = self._stuck_to
        if stuck is not None and time.monotonic() - stuck[1] < STICK_SECONDS:
            batch = self._claim_from(stuck[0])
            if batch is not None:
                return batch
        for candidate in self._ranked():
            batch = self._claim_from(candidate)
            if batch is not None:
                self._stuck_to = (candidate, time.monotonic())
                self._waiting_since.pop(candidate.batch_key, None)
                return batch
        return None

    def _claim_from(self, candidate: BatchCandidate) -> Batch | None:
        capacity = self._models.capacity(candidate.batch_key, candidate.parameters)
        return claim_batch(
            self._database,
            worker_id=self.identity.worker_id,
            candidate=candidate,
            limit=capacity.limit,
            lease_seconds=self._settings.lease_seconds,
        )

    def _ranked(self) -> list[BatchCandidate]:
        moment = time.monotonic()
        found = ready_batches(self._database, self.stages)
        keys = {candidate.batch_key for candidate in found}
        with self._lock:
            self._troubles = {key: trouble for key, trouble in self._troubles.items() if trouble[0] > moment}
            troubled = set(self._troubles)
            self._waiting_since = {key: self._waiting_since.get(key, moment) for key in keys}
            waiting_since = dict(self._waiting_since)
        usable = [candidate for candidate in found if candidate.batch_key not in troubled]
        return ranked(
            usable,
            loaded={candidate.batch_key for candidate in usable if self._models.holds(candidate.campaign_id, candidate.parameters)},
            waiting_since=waiting_since,
            moment=moment,
            starvation_seconds=self._settings.starvation_seconds,
        )

    def _heartbeat(self) -> None:
        try:
            # Only what a thread is at work on: a batch that was dropped in whatever way must not be kept alive.
            renew(self._database, sorted(self._held), lease_seconds=self._settings.lease_seconds)
            record_heartbeat(self._database, self.identity.worker_id, trouble="; ".join(self.troubles) or None)
        except Exception:
            # Others could not renew either: give them one lease before anybody's jobs are taken.
            self._sweep_after = time.monotonic() + self._settings.lease_seconds
            raise

    def _sweep(self) -> None:
        if time.monotonic() < self._sweep_after:
            return
        try:
            swept = sweep(self._database, lease_seconds=self._settings.lease_seconds)
        except Exception:
            self._sweep_after = time.monotonic() + self._settings.lease_seconds
            raise
        if swept.returned or swept.poisoned:
            logger.warning("took back %d jobs of silent workers, %d given up as poison", swept.returned, swept.poisoned)
        self._wake({candidate.stage for candidate in ready_batches(self._database, list(Stage))})

    def _wake(self, stages: Sequence[Stage] | set[Stage]) -> None:
        within = self._settings.alive_within_seconds
        self._notifier.wake(stages, threads=lambda stage: live_threads(self._database, stage, within_seconds=within))
