"""The worker: threads that claim and run batches, woken by messages or by their own look."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from db.errors import DatabaseUnavailable
from db.jobs.lease import excuse_leases, release_batch
from db.logs import log_context
from db.monitoring.worker_registry import deregister_worker, register_worker
from workers.backends.errors import DeviceLost
from workers.batches.batch_run import run_batch
from workers.error_log import ErrorLog
from workers.errors import ModelTrouble
from workers.fleet import Fleet
from workers.host_watch import HostWatch
from workers.idleness import IdleWatch
from workers.lease_keeper import LeaseKeeper
from workers.observers import BatchPart
from workers.outages import STORE
from workers.periodic import PeriodicThread
from workers.rescuer import Rescuer
from workers.scheduling.claimer import Claimer
from workers.scheduling.scheduler import Scheduler
from workers.slots import Slots
from workers.solitude import Solitude
from workers.stopping import attempt, wait_for_all

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from db.enums import Stage
    from db.jobs.claim import Batch
    from workers.host_watch import LeaveReason
    from workers.identity import Identity
    from workers.wake_ups.notifier import Notifier
    from workers.worker_context import WorkerContext

logger = logging.getLogger(__name__)

#: Seconds between two looks whether something that is away is due to be tried again.
PROBE_SECONDS = 1.0
#: Seconds between two tries to mark the leases of a worker that stops.
EXCUSE_SECONDS = 1.0
#: Seconds that a stopping worker waits for whatever a database or a broker that is away holds up.
CLOSE_SECONDS = 3.0


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
        on_leave: Callable[[LeaveReason], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_leave` is called once if its host is drained, or its program becomes too old for the database."""
        settings = context.settings
        self.identity = identity
        self.stages = tuple(stages)
        self.scheduler = Scheduler(model_need=context.models.need, starvation_seconds=settings.starvation_seconds, clock=clock)
        self._fleet = Fleet(context.database, alive_within_seconds=settings.alive_within_seconds)
        self.rescuer = Rescuer(
            context.database,
            lease_seconds=settings.lease_seconds,
            alive_within_seconds=settings.alive_within_seconds,
            wake=self._wake,
            is_in_time=lambda: self.leases.is_in_time,
            is_my_turn=self._fleet.is_my_turn,
        )
        self.leases = LeaseKeeper(
            context.database,
            worker_id=identity.worker_id,
            lease_seconds=settings.lease_seconds,
            troubles=lambda: [*self.scheduler.troubles, *context.outages.troubles],
            on_failure=self.rescuer.hold_back,
            host_watch=HostWatch(identity.host, on_leave=on_leave),
        )
        self.slots = Slots(settings.threads)
        self.idleness = IdleWatch(context.database, stages=self.stages, scheduler=self.scheduler, is_busy=self.slots.any_taken)
        self._claimer = Claimer(context, self.scheduler, worker_id=identity.worker_id, stages=self.stages)
        self._context = context
        self._clock = clock
        self._notifier = notifier
        self._stop = stop
        self._solitude = Solitude()
        self._errors = ErrorLog(logger)
        self._heartbeat = PeriodicThread("heartbeat", settings.heartbeat_seconds, self.leases.beat)
        self._sweeper = PeriodicThread("sweeper", settings.sweep_seconds, self.rescuer.sweep)
        self._outages = PeriodicThread("outages", PROBE_SECONDS, self._try_outages)
        self._looks = [PeriodicThread(f"look-{number}", settings.look_seconds, self.look) for number in range(settings.threads)]
        #: Set once a batch was claimed: from then on an end of this process is not one of a host where none can start.
        self.first_batch = threading.Event()

    def start(self) -> None:
        """Register and begin to send heartbeats, sweep and look for work. A store that is away keeps from the worker only what needs it.

        Raises:
            DatabaseUnavailable: it could not register; it may be started again.
        """
        context = self._context
        register_worker(context.database, stages=self.stages, threads=context.settings.threads, **self.identity.facts())
        if with_store := context.stages_with_store & set(self.stages):
            context.outages.await_first_answer(STORE, probe=context.store.check, stages=with_store)
        context.task_events.start()
        for thread in (self._heartbeat, self._sweeper, self._outages, *self._looks):
            thread.start()

    def begin_stop(self) -> None:
        """Claim nothing more, and say in the database that this worker was asked to stop; returns at once."""
        self._stop.set()
        threading.Thread(target=self._excuse, name="excuse", daemon=True).start()

    def abandon(self) -> None:
        """Give back whatever is held, so that others can take it at once: the process is about to end. Takes a few seconds at most."""
        attempt("giving back what is held", self._release_held, seconds=CLOSE_SECONDS)

    def close(self) -> None:
        """Wait for the batches under way, then unload and deregister; what is away is not waited for, and nothing is raised."""
        self._stop.set()
        for thread in self._looks:
            thread.begin_stop()
        ended = wait_for_all(
            self._looks, seconds=self._context.settings.grace_seconds, idle_seconds=CLOSE_SECONDS, is_idle=lambda: not self.leases.held
        )
        for thread in (self._outages, self._sweeper, self._heartbeat):
            thread.begin_stop()
        wait_for_all([self._outages, self._sweeper, self._heartbeat], seconds=CLOSE_SECONDS)
        attempt("ending the task events", self._context.task_events.stop, seconds=CLOSE_SECONDS)
        if self._context.tracer is not None:
            attempt("sending the last traces", self._context.tracer.close, seconds=CLOSE_SECONDS)
        if ended:
            attempt("unloading the models", self._context.models.clear, seconds=None)
        attempt("deregistering", lambda: deregister_worker(self._context.database, self.identity.worker_id), seconds=CLOSE_SECONDS)

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
            while self._solitude.wait_for_company(self._stop.is_set) and (batch := self._claim()) is not None:
                with log_context(**self._log_fields(batch)):
                    self._run(batch)
        except DatabaseUnavailable as error:
            logger.debug("%s", error)  # it says itself that it is away; the next look tries again
        except Exception as error:  # noqa: BLE001  # the next look tries again
            self._errors.write("looking for work failed and will be tried again", error)
        finally:
            self.slots.release()

    def _claim(self) -> Batch | None:
        recorder = self._context.recorder
        recorder.begin()
        with recorder.part(BatchPart.CLAIM):
            return self._claimer.claim()

    def _log_fields(self, batch: Batch) -> dict[str, object]:
        of_one = {"job": batch.jobs[0].job_key} if len(batch.jobs) == 1 else {}
        return {"campaign": self._context.recorder.name_of(batch.campaign_id), "stage": batch.stage, **of_one}

    def _run(self, batch: Batch) -> None:
        self.first_batch.set()
        began, waited = self._clock(), self._context.device_lock.waited_seconds()
        try:
            with (
                self.leases.holding(batch.token),
                self._solitude.admitted(alone=batch.is_suspect, stopping=self._stop.is_set) as in_time,
                self._context.outages.trial(batch) as in_reach,
            ):
                if not in_time or not in_reach:  # the worker stops, or something that it needs went away while it was claimed
                    release_batch(self._context.database, batch.token)
                    return
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
        self._notifier.wake(stages, threads=self._fleet.threads)

    def _try_outages(self) -> None:
        if self._context.outages.beat():
            for thread in self._looks:
                thread.nudge()

    def _excuse(self) -> None:
        while True:
            try:
                excuse_leases(self._context.database, self.identity.worker_id)
            except DatabaseUnavailable:
                time.sleep(EXCUSE_SECONDS)
            except Exception as error:  # noqa: BLE001  # a thread of its own
                self._errors.write("the leases could not be marked", error)
                return
            else:
                return

    def _release_held(self) -> None:
        for token in self.leases.held:
            release_batch(self._context.database, token)
