"""The Celery application for Celery's own tools: `celery -A paragone.celery inspect ping`, `status`, `events`, `flower`.

Importing this module reads the settings: that is what it is for. It means the configured broker, or else the embedded one of the data
directory, starts neither, and says so if the latter does not run. Workers are started by `paragone work`, never by `celery worker`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from producer.environment import read_settings
from workers.broker import EmbeddedBroker, resolve_broker
from workers.wake_ups.app import create_app

if TYPE_CHECKING:
    from celery import Celery

    from db.settings import Settings

logger = logging.getLogger(__name__)


def _application(settings: Settings) -> Celery:
    broker = resolve_broker(settings)
    # A configured broker may take seconds to be away, and Celery itself tells where it cannot connect.
    if isinstance(broker, EmbeddedBroker) and not broker.is_running():
        logger.warning(
            "no broker runs in %s: `paragone work` starts one, PARAGONE_BROKER_URL names another, PARAGONE_DATA_DIR another directory",
            settings.data_dir,
        )
    return create_app(broker.url)


app = _application(read_settings())
