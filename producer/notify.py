"""Wake-ups from the producer's side: after jobs became ready, wake the workers that are running."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from db.enums import Stage
from db.errors import ParagoneError
from db.jobs.claim import ready_batches
from db.monitoring.worker_registry import live_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.runtime import Runtime

logger = logging.getLogger(__name__)


def notify_ready(runtime: Runtime) -> int:
    """Send wake-ups for every stage that has ready jobs; returns how many were sent.

    Never fails and starts no broker: where none runs nobody listens, and workers poll the database every few seconds.
    """
    stages = sorted({candidate.stage for candidate in ready_batches(runtime.database, list(Stage))})
    if not stages:
        return 0
    try:
        return _wake(runtime, stages)
    except ParagoneError as error:  # a URL that cannot work; its text shows no password
        logger.warning("%s; until then workers find their jobs by polling", error)
        return 0
    except Exception as error:  # kombu raises whatever its transport does, and a lost wake-up is no failure
        logger.warning("the broker accepted no wake-up, workers find their jobs by polling: %s", type(error).__name__)
        logger.debug("no wake-up was sent", exc_info=True)
        return 0


def _wake(runtime: Runtime, stages: Sequence[Stage]) -> int:
    # Celery takes a third of a second to import: only commands that send wake-ups pay for it.
    from workers.broker import resolve_broker
    from workers.wake_ups.app import create_app
    from workers.wake_ups.notifier import Notifier

    broker = resolve_broker(runtime.settings)
    if not broker.is_running():
        if runtime.settings.broker_url.get_secret_value():
            logger.warning("no broker answers at PARAGONE_BROKER_URL, workers find their jobs by polling")
        return 0
    within = runtime.settings.alive_within_seconds
    with create_app(broker.url) as app:
        notifier = Notifier(app)
        return notifier.wake(stages, threads=lambda stage: live_threads(runtime.database, stage, within_seconds=within))
