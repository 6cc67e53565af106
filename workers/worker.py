"""The worker: threads that claim and run batches, woken by messages or by their own look."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from db.jobs.lease import excuse_leases, release_batch
from db.monitoring.worker_registry import deregister_worker, live_threads, register_worker
from workers.backends.errors import DeviceLost
from workers.batch_run import run_batch
from workers.claimer import Claimer
from workers.errors import ModelTrouble
from workers.idleness import IdleWatch
from workers.lease_keeper import LeaseKeeper
from workers.periodic import PeriodicThread
from workers.rescuer import Rescuer
from workers.scheduling import Scheduler
from workers.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from db.enums import Stage
    from db.jobs.claim import Batch
    from workers.identity import Identity
    from workers.notifier import Notifier
    from workers.worker_context import WorkerContext

logger = logging.getLogger(__name__)


class Worker:
    """One process's share of the work; at most `settings.threads` threads work at once."""

    def __init__(
        self,
        context: WorkerContext,
        *,
        identity: Identity,
        stages: Sequence[Stage],
        notifier: Notifier,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        settings = context.settings
        self.identity = identity
        self.stages = tuple(stages)
        self.scheduler = Scheduler(model_need=context.models.need, starvation_seconds=settings.starvation_seconds, clock=clock)
        self.rescuer = Rescuer(context.database, lease_seconds=settings.lease_seconds, wake=self._wake)
        self.leases = LeaseKeeper(
            context.database,
            worker_id=identity.worker_id,
            lease_seconds=settings.lease_seconds,
            troubles=lambda: [*self.scheduler.troubles, *context.outages.troubles],
            on_failure=self.rescuer.hold_back,
        )
        self.slots = Slots(settings.threads)
        self.idleness = IdleWatch(context.database, stages=self.stages, scheduler=self.scheduler, is_busy=self.slots.any_taken)
        self._claimer = Claimer(context, self.scheduler, worker_id=identity.worker_id, stages=self.stages)
        self._context = context
        self._clock = clock
        self._notifier = notifier
        self._stop = stop
        self._threads: list[PeriodicThread] = []
        #: Set once a batch was claimed: from then on an end of this process is not one of a host where none can start.
        self.first_batch = threading.Event()

    def start(self) -> None:
        """Register and begin to send heartbeats, sweep and look for work."""
        settings = self._context.settings
        register_worker(self._context.database, stages=self.stages, threads=settings.threads, **self.identity.facts())
        self._context.task_events.start()
        self._threads = [
            PeriodicThread("heartbeat", settings.heartbeat_seconds, self.leases.beat),
            PeriodicThread("sweeper", settings.sweep_seconds, self.rescuer.sweep),
            *(PeriodicThread(f"look-{number}", settings.look_seconds, self.look) for number in range(settings.threads)),
        ]
        for thread in self._threads:
            thread.start()

    def begin_stop(self) -> None:
        """Claim nothing more; returns at once."""
        self._stop.set()
        excuse = partial(excuse_leases, self._context.database, self.identity.worker_id)
        threading.Thread(target=excuse, name="excuse", daemon=True).start()

    def abandon(self) -> None:
        """The grace period is over: give back what has not begun, as far as the database answers."""
        for token in self.leases.held:
            release_batch(self._context.database, token)

    def close(self) -> None:
        """Wait for the threads, then unload and deregister."""
        self._stop.set()
        for thread in self._threads[::-1]:
            thread.stop(timeout=self._context.settings.grace_seconds)
        self._context.task_events.stop()
        self._context.models.clear()
        deregister_worker(self._context.database, self.identity.worker_id)

    def on_wake_up(self) -> None:
        """Work until nothing is left, in this thread; waits for a free slot so that a wake-up is not lost on a busy worker."""
        if self.slots.wait_for_one(self._stop.is_set):
            self._work_until_dry()

    def look(self) -> None:
        """Work until nothing is left, unless all slots are taken: whoever has them finds what there is."""
        if self.slots.take():
            self._work_until_dry()

    def _work_until_dry(self) -> None:
        try:
            while not self._stop.is_set() and (batch := self._claimer.claim()) is not None:
                self._run(batch)
        finally:
            self.slots.release()

    def _run(self, batch: Batch) -> None:
        self.first_batch.set()
        began, waited = self._clock(), self._context.device_lock.waited_seconds()
        try:
            with self.leases.holding(batch.token):
                completed = run_batch(self._context, batch)
        except ModelTrouble as error:
            self.scheduler.note_broken(batch.batch_key, str(error))
            logger.error("%s", error)  # noqa: TRY400  # one clear line; the traceback would add nothing
            return
        except DeviceLost as error:
            logger.critical("%s", error)
            os.kill(os.getpid(), signal.SIGKILL)
            return
        finally:
            waiting = self._context.device_lock.waited_seconds() - waited
            self.scheduler.note_finished(batch.batch_key, max(0.0, self._clock() - began - waiting))
        if completed is not None and completed.readied and batch.stage.following is not None:
            self._wake([batch.stage.following])

    def _wake(self, stages: Collection[Stage]) -> None:
        database, within = self._context.database, self._context.settings.alive_within_seconds
        self._notifier.wake(stages, threads=lambda stage: live_threads(database, stage, within_seconds=within))
