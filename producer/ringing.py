"""Ringing from the producer's side: after jobs became ready, wake the workers that are there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from db.life.claim import choices
from db.vocabulary import Stage
from db.workforce import threads_alive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.house import House

logger = logging.getLogger(__name__)


def ring_for_ready(house: House) -> int:
    """Ring for every stage that has work now; returns how many rings were sent.

    Never fails and starts no broker: where none runs nobody listens, and workers look for themselves every few seconds.
    """
    stages = sorted({choice.stage for choice in choices(house.engine, list(Stage))})
    if not stages:
        return 0
    try:
        return _ring(house, stages)
    except Exception as error:  # kombu raises whatever its transport does, and a lost ring is no failure
        logger.warning("the broker took no ring, workers find their work by themselves: %s", type(error).__name__)
        logger.debug("no ring was sent", exc_info=True)
        return 0


def _ring(house: House, stages: Sequence[Stage]) -> int:
    # Celery takes a third of a second to import: only commands that ring pay for it.
    from workers.app import create_app
    from workers.bell import Bell
    from workers.broker import resolve_broker

    broker = resolve_broker(house.settings)
    if not broker.is_running():
        if house.settings.broker_url.get_secret_value():
            logger.warning("no broker answers at PARAGONE_BROKER_URL, workers find their work by themselves")
        return 0
    within = 2 * house.settings.lease_seconds
    with create_app(broker.url) as app:
        bell = Bell(app)
        return bell.top_up(stages, threads=lambda stage: threads_alive(house.engine, stage, within_seconds=within))
