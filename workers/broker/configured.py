"""A broker that somebody else runs: Redis, Valkey or RabbitMQ at a URL."""

from __future__ import annotations

from typing import Self

from kombu import Connection
from kombu.exceptions import OperationalError

from workers.broker.url import speaks_redis

#: Seconds for a connection, and for an answer on it: a server may take connections and answer nobody.
ANSWER_SECONDS = 5.0


class ConfiguredBroker:
    """The broker at `url`; joining and leaving it starts and stops nothing."""

    def __init__(self, url: str) -> None:
        self.url = url

    def is_running(self) -> bool:
        """Whether it takes connections."""
        limits = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS} if speaks_redis(self.url) else {}
        with Connection(self.url, connect_timeout=ANSWER_SECONDS, transport_options=limits) as connection:
            try:
                connection.ensure_connection(max_retries=1, interval_start=0.1, timeout=ANSWER_SECONDS)
            except (OperationalError, *connection.connection_errors):
                return False
        return True

    def join(self) -> None:
        """Nothing to start."""

    def leave(self) -> None:
        """Nothing to stop."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
