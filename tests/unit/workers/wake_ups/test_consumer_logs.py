from __future__ import annotations

import logging

import pytest
from redis.exceptions import ReadOnlyError

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


@pytest.mark.parametrize("logger", ["celery.bootsteps", "celery.worker.pidbox"])
def test_an_error_of_the_broker_that_a_library_logs_with_its_traceback_is_a_complaint_and_any_other_is_news(
    logger: str, caplog: pytest.LogCaptureFixture
) -> None:
    no_reconnecting(create_app("redis://127.0.0.1:1/0"))

    for error in (ReadOnlyError("You can't write against a read only replica."), ConnectionResetError(104, "reset"), RuntimeError("hub")):
        logging.getLogger(logger).error("Error on %s %s: %r", "stopping", "Hub", error, exc_info=error)

    assert caplog.messages == ["Error on stopping Hub: RuntimeError('hub')"]
