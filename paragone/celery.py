"""The Celery application for Celery's own tools: `celery -A paragone.celery inspect ping`, `status`, `events`, `flower`.

Importing this module reads the settings: that is what it is for. It means the configured broker, or else the embedded one of the data
directory, starts neither, and says so if the latter does not run. Workers are started by `paragone work`, never by `celery worker`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from celery.signals import setup_logging

from db.logs import LogFormat, log_json_lines
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


def _log(settings: Settings) -> None:
    """Celery's tools log as Paragone does where logs are JSON; else as Celery does."""
    if settings.log is LogFormat.JSON:
        log_json_lines(logging.WARNING)
        setup_logging.connect(lambda loglevel=logging.WARNING, **_: log_json_lines(loglevel), weak=False)


_settings = read_settings()
_log(_settings)
app = _application(_settings)
