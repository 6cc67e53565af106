"""One worker process: Celery for the wake-ups, remote control and Flower; the worker for everything else."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from typing import TYPE_CHECKING

from celery.exceptions import SecurityWarning
from celery.signals import worker_shutting_down

from workers.app import create_app, queue_name, register_wake_up
from workers.broker import resolve_broker
from workers.device_lock import DeviceLock
from workers.errors import EXIT_MODEL_TROUBLE
from workers.identity import own_identity
from workers.model_cache import ModelCache
from workers.notifier import Notifier
from workers.outages import Outages
from workers.stages.runners import STAGE_RUNNERS
from workers.task_events import TaskEventSender
from workers.time_limit import TimeLimit
from workers.worker import Worker
from workers.worker_context import WorkerContext

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celery import Celery

    from db.enums import Stage
    from db.runtime import Runtime
    from workers.identity import Identity
    from workers.worker_context import BatchRunner


def run_worker(
    runtime: Runtime,
    *,
    name: str,
    device: str,
    stages: Sequence[Stage],
    until_idle: bool,
    runners: Mapping[Stage, BatchRunner] = STAGE_RUNNERS,
) -> int:
    """Work in this process until SIGTERM, or until idle; returns the exit code.

    Args:
        runtime: the database, the store and the settings.
        name: part of the worker's name, such as "gpu0".
        device: how torch calls it, "cuda" or "cpu".
        stages: those that it serves.
        until_idle: whether it ends once nothing can be expected any more.
        runners: who runs the batches of each stage.
    """
    with resolve_broker(runtime.settings) as broker:
        app = create_app(broker.url)
        stop = threading.Event()
        identity = own_identity(name, device)
        context = _context(runtime, app, runners, identity=identity, stop=stop)
        worker = Worker(context, identity=identity, stages=stages, notifier=Notifier(app), stop=stop)
        register_wake_up(app, worker.on_wake_up)
        stopper = worker_shutting_down.connect(lambda **_: _begin_stop(stop, runtime.settings.grace_seconds), weak=False)
        worker.start()
        if until_idle:
            threading.Thread(target=_stop_when_idle, args=(worker, stop), name="until-idle", daemon=True).start()
        try:
            _consume(app, worker, stages, threads=runtime.settings.threads)
        finally:
            worker_shutting_down.disconnect(stopper)
            undone = until_idle and worker.idleness.work_is_left()
            worker.close()
    return EXIT_MODEL_TROUBLE if undone else 0


def _context(
    runtime: Runtime, app: Celery, runners: Mapping[Stage, BatchRunner], *, identity: Identity, stop: threading.Event
) -> WorkerContext:
    return WorkerContext(
        database=runtime.database,
        store=runtime.store,
        settings=runtime.settings,
        stages=runners,
        models=ModelCache(runtime.database, runtime.settings, device=identity.device),
        device_lock=DeviceLock(),
        time_limit=TimeLimit(),
        task_events=TaskEventSender(app, hostname=identity.worker_id),
        outages=Outages(),
        stopping=stop.is_set,
    )


def _consume(app: Celery, worker: Worker, stages: Sequence[Stage], *, threads: int) -> None:
    """Celery's own loop, until it is asked to stop. Warm shutdown waits for the wake-ups under way."""
    # Celery warns root of pickled tasks; ours are JSON and carry nothing, and containers run as root.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    consumer = app.Worker(
        hostname=worker.identity.worker_id,
        queues=[queue_name(stage) for stage in stages],
        concurrency=threads,
        pool="threads",
        task_events=True,
        without_gossip=True,
        without_mingle=True,
        loglevel="WARNING",
        redirect_stdouts=False,
        quiet=True,
    )
    try:
        consumer.start()
    except SystemExit as ending:
        if ending.code not in {0, None}:
            raise


def _begin_stop(stop: threading.Event, grace_seconds: float) -> None:
    """Claim nothing more; what is on the device past the grace period is left to its lease."""
    stop.set()
    timer = threading.Timer(grace_seconds, lambda: os._exit(1))
    timer.daemon = True
    timer.start()


def _stop_when_idle(worker: Worker, stop: threading.Event) -> None:
    worker.idleness.wait(stop)
    os.kill(os.getpid(), signal.SIGTERM)
