"""A broker that somebody else runs: Redis, Valkey or RabbitMQ at a URL."""

from __future__ import annotations

from typing import Self

from kombu import Connection
from kombu.exceptions import OperationalError

from db.certificate_faults import certificate_fault
from workers.broker.errors import BrokerNotTrusted
from workers.broker.tls import connection_options, is_encrypted
from workers.broker.url import speaks_redis

#: Seconds for a connection, and for an answer on it: a server may take connections and answer nobody.
ANSWER_SECONDS = 5


class ConfiguredBroker:
    """The broker at `url`; joining and leaving it starts and stops nothing."""

    def __init__(self, url: str) -> None:
        self.url = url

    def is_running(self) -> bool:
        """Whether it takes connections; raises `BrokerNotTrusted` if it does and its certificate is not accepted."""
        url, encryption = connection_options(self.url)
        # Else a handshake that is never answered, as with a Redis that knows no TLS, would be waited for without an end.
        options = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS} if speaks_redis(url) else {}
        with Connection(url, connect_timeout=ANSWER_SECONDS, ssl=encryption or False, transport_options=options) as connection:
            try:
                connection.ensure_connection(max_retries=1, interval_start=0.1, timeout=ANSWER_SECONDS)
            except (OperationalError, *connection.connection_errors) as error:
                if encryption is not None:
                    _refuse_untrusted(connection, error)
                return False
        return True

    def refuse_untrusted(self) -> None:
        """Raise `BrokerNotTrusted` if what answers cannot be trusted; one that does not answer is no matter."""
        if is_encrypted(self.url):
            self.is_running()

    def join(self) -> None:
        """Nothing to start."""

    def leave(self) -> None:
        """Nothing to stop."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _refuse_untrusted(connection: Connection, error: Exception) -> None:
    plain = "amqp://" if connection.transport.driver_type == "amqp" else "redis://"
    fault = certificate_fault(error, authority="PARAGONE_BROKER_CA", unencrypted=plain)
    if fault is not None:
        raise BrokerNotTrusted(f"the broker at {connection.as_uri()} cannot be trusted: {fault}") from error
