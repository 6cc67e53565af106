from __future__ import annotations

import logging

import pytest

from workers.wake_ups.app import create_app
from workers.wake_ups.consumer import no_reconnecting


@pytest.mark.parametrize(
    ("logger", "message"),
    [
        ("celery.worker.consumer.consumer", "Retrying to establish the connection to the message broker"),
        ("celery.worker.request", "Couldn't ack 'a', reason:network:ConnectionError"),
        ("celery.worker.loops", "Error cleaning up after event loop: server:ReadOnlyError"),
        ("kombu.transport.redis", "maybe_refresh_binding_expiry: Redis error, will retry"),
    ],
)
def test_what_the_libraries_say_of_a_broker_that_is_away_is_left_to_our_own_line(
    logger: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    no_reconnecting(create_app("memory://"))

    logging.getLogger(logger).error(message)
    logging.getLogger(logger).error("something else")

    assert caplog.messages == ["something else"]
