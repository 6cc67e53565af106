"""One worker process: the worker with its threads, Celery's consumer beside it, and a main thread that waits for a reason to end."""

from __future__ import annotations

import logging
import signal
import threading
import time
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING

from db.campaigns import campaign_name
from db.engine.wait import wait_until_available
from db.errors import DatabaseUnavailable
from db.jobs.drain import is_drained
from db.monitoring.jobs_left import jobs_left
from db.signal_wait import wait_for_item
from workers.batches.batch_recorder import BatchRecorder
from workers.broker import resolve_broker
from workers.device_lock import DeviceLock
from workers.host_watch import LeaveReason, drained_text
from workers.identity import own_identity
from workers.model_cache import ModelCache
from workers.observers import Observers
from workers.outages import Outages
from workers.periodic import PeriodicThread
from workers.stages.runners import STAGE_RUNNERS
from workers.supervision.child_report import ChildReport
from workers.supervision.exit_codes import ExitCode
from workers.task_events import TaskEventSender
from workers.time_limit import TimeLimit
from workers.tracing import configured_tracer
from workers.wake_ups.app import create_app, register_wake_up
from workers.wake_ups.background_notifier import BackgroundNotifier
from workers.wake_ups.consumer import Consumer
from workers.wake_ups.consumer_keeper import ConsumerKeeper
from workers.work_log import MOST_COUNTED, SUMMARY_SECONDS, WorkLog
from workers.worker import Worker
from workers.worker_context import WorkerContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from celery import Celery

    from db.enums import Stage
    from db.runtime import Runtime
    from db.settings import Settings
    from workers.identity import Identity
    from workers.observers import WorkObserver
    from workers.worker_context import BatchRunner

logger = logging.getLogger(__name__)

#: Seconds that a thread without a batch may take to come back from the database before it is left alone.
QUERY_SECONDS = 2.0
#: Seconds that closing may take, and giving up: both know what is away, and this is for what they did not think of.
CLOSE_SECONDS = 10.0
#: Seconds for which a consumer that was asked to end is waited for.
LEAVE_SECONDS = 2.0
LOOK_SECONDS = 0.05


class Ending(StrEnum):
    """Why a worker process ends."""

    #: A signal asked it to.
    SIGNAL = "signal"
    #: Nothing can be expected any more.
    IDLE = "idle"
    #: Celery's remote command `shutdown` asked it to, and means that it stays away.
    SHUTDOWN = "shutdown"
    #: Its host was drained.
    DRAINED = "drained"
    #: The database was migrated beyond what this program can work with.
    TOO_OLD = "too-old"


_LEAVING = {LeaveReason.DRAINED: Ending.DRAINED, LeaveReason.TOO_OLD: Ending.TOO_OLD}


_ENDINGS = {
    Ending.SIGNAL: "asked to stop",
    Ending.IDLE: "until nothing more could be expected",
    Ending.SHUTDOWN: "asked by Celery's shutdown to stay away",
    Ending.DRAINED: "its host is drained",
    Ending.TOO_OLD: "too old for the database",
}


def run_worker(
    runtime: Runtime,
    *,
    name: str,
    device: str,
    stages: Sequence[Stage],
    until_idle: bool,
    runners: Mapping[Stage, BatchRunner] = STAGE_RUNNERS,
    worker_id: str | None = None,
    report: ChildReport | None = None,
    observers: Sequence[WorkObserver] = (),
) -> int:
    """Work in this process until SIGTERM, or until idle; returns one of `ExitCode`.

    It waits for a database that is away, and needs no broker. Call it in the main thread.

    Args:
        runtime: the database, the store and the settings.
        name: part of the worker's name, such as "gpu0".
        device: how torch calls it, "cuda" or "cpu".
        stages: those that it serves.
        until_idle: whether it ends once nothing can be expected any more.
        runners: who runs the batches of each stage.
        worker_id: the worker's whole name, if its supervisor has chosen one.
        report: what the supervisor is told.
        observers: who counts or logs the work.
    """
    report = report or ChildReport()
    endings: SimpleQueue[Ending] = SimpleQueue()
    with resolve_broker(runtime.settings) as broker:
        app = create_app(broker.url)
        stop = threading.Event()
        identity = own_identity(name, device, host=runtime.settings.host_name, worker_id=worker_id)
        wait_until_available(lambda: runtime.database)
        if wait_until_available(lambda: is_drained(runtime.database, identity.host)):
            logger.warning("%s: this worker claims nothing and ends", drained_text(identity.host))
            return ExitCode.DONE
        work_log = WorkLog(left=partial(_jobs_left, runtime, stages))
        context = _context(runtime, app, runners, identity=identity, stop=stop, report=report, observers=Observers([work_log, *observers]))
        worker = Worker(
            context,
            identity=identity,
            stages=stages,
            notifier=BackgroundNotifier(app),
            stop=stop,
            on_leave=lambda reason: endings.put(_LEAVING[reason]),
        )
        keeper = _keeper(app, worker, threads=runtime.settings.threads, on_shutdown=lambda: endings.put(Ending.SHUTDOWN))
        _beside("first-batch", partial(_then, worker.first_batch.wait, report.began))
        wait_until_available(worker.start)
        logger.info("%s works on %s: %s", identity.worker_id, device, ", ".join(stages), extra={"device": device})
        PeriodicThread("summary", SUMMARY_SECONDS, work_log.summarize).start()
        with _signals_ask(endings):
            keeper.start()
            if until_idle:
                _beside("until-idle", partial(_then, partial(worker.idleness.wait, stop), partial(endings.put, Ending.IDLE)))
            ending = wait_for_item(endings)
            code = _end(worker, keeper, ending, endings, runtime.settings)
            work_log.end(_ENDINGS[ending])
            return code


def _jobs_left(runtime: Runtime, stages: Sequence[Stage]) -> int | None:
    try:
        return jobs_left(runtime.database, stages, most=MOST_COUNTED)
    except DatabaseUnavailable:
        return None


def _context(
    runtime: Runtime,
    app: Celery,
    runners: Mapping[Stage, BatchRunner],
    *,
    identity: Identity,
    stop: threading.Event,
    report: ChildReport,
    observers: Observers,
) -> WorkerContext:
    recorder = BatchRecorder(observers, campaign_name=partial(campaign_name, runtime.database))
    return WorkerContext(
        database=runtime.database,
        store=runtime.store,
        settings=runtime.settings,
        stages=runners,
        models=ModelCache(runtime.database, runtime.settings, device=identity.device, observer=observers),
        device_lock=DeviceLock(),
        time_limit=TimeLimit(on_set=report.deadline),
        task_events=TaskEventSender(app, hostname=identity.worker_id),
        outages=Outages(),
        stopping=stop.is_set,
        recorder=recorder,
        tracer=configured_tracer(runtime.settings, identity=identity, recorder=recorder),
    )


def _keeper(app: Celery, worker: Worker, *, threads: int, on_shutdown: Callable[[], None]) -> ConsumerKeeper:
    worker_id, stages = worker.identity.worker_id, worker.stages
    keeper = ConsumerKeeper(
        lambda: Consumer(app, worker_id=worker_id, stages=stages, threads=threads),
        app=app,
        stages=stages,
        wake_ups_wait=lambda: any(BackgroundNotifier(app).depths(stages).values()),
        can_work=worker.slots.any_free,
        on_shutdown=on_shutdown,
    )

    def answer() -> None:
        keeper.note_wake_up()
        worker.on_wake_up()

    register_wake_up(app, answer)
    return keeper


@contextmanager
def _signals_ask(endings: SimpleQueue[Ending]) -> Iterator[None]:
    """SIGTERM and SIGINT end the worker in good order while the block runs."""
    # A queue, because setting an event in a handler may wait for a lock that the interrupted code holds.
    before = {number: signal.signal(number, lambda *_: endings.put(Ending.SIGNAL)) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(worker: Worker, keeper: ConsumerKeeper, ending: Ending, endings: SimpleQueue[Ending], settings: Settings) -> ExitCode:
    """Finish what is under way, tell the database and Flower; nothing here waits for a service that does not answer."""
    worker.begin_stop()
    keeper.leave()
    if not _drained(worker, ending, endings, settings):
        logger.warning("the batch on the device outlasted the grace period of %.0f s and is left to others", settings.grace_seconds)
        _within(CLOSE_SECONDS, "abandon", worker.abandon)
        return ExitCode.GAVE_UP
    code = _exit_code(worker, ending)
    _within(CLOSE_SECONDS, "close", worker.close)
    keeper.join(LEAVE_SECONDS)
    return code


def _exit_code(worker: Worker, ending: Ending) -> ExitCode:
    match ending:
        case Ending.SIGNAL:
            return ExitCode.STOPPED
        case Ending.SHUTDOWN | Ending.DRAINED:
            return ExitCode.DONE
        case Ending.TOO_OLD:
            return ExitCode.TOO_OLD
        case Ending.IDLE:
            try:
                return ExitCode.MODEL_TROUBLE if worker.idleness.work_is_left() else ExitCode.DONE
            except DatabaseUnavailable:
                return ExitCode.STOPPED  # nobody can tell: another process will


def _drained(worker: Worker, ending: Ending, endings: SimpleQueue[Ending], settings: Settings) -> bool:
    """Wait for the batches under way; whether all ended in time. A thread that holds none waits for a query at most.

    Who is to leave may finish what it holds however long that takes, within the budget of a batch, until a signal comes after all.
    """
    last_held = time.monotonic()
    deadline = last_held + (settings.budget_seconds if ending in _LEAVING.values() else settings.grace_seconds)
    while worker.slots.any_taken():
        moment = time.monotonic()
        while not endings.empty():
            if endings.get() is Ending.SIGNAL:
                deadline = min(deadline, moment + settings.grace_seconds)
        if worker.leases.held:
            last_held = moment
        if moment - last_held > QUERY_SECONDS:
            return True
        if moment > deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def _within(seconds: float, name: str, work: Callable[[], None]) -> None:
    """Do it, but wait for it only so long."""
    _beside(name, work).join(seconds)


def _then(first: Callable[[], object], second: Callable[[], object]) -> None:
    first()
    second()


def _beside(name: str, work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
