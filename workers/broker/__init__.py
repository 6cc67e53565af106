"""The broker: the configured one, or a real server of our own per data directory."""

from __future__ import annotations

from workers.broker.broker import Broker, resolve_broker
from workers.broker.configured import ConfiguredBroker
from workers.broker.embedded import EmbeddedBroker
from workers.broker.errors import BadBrokerUrl, BrokerNotTrusted, BrokerUnavailable
from workers.broker.tls import connection_options
from workers.broker.url import speaks_redis, without_password

__all__ = [
    "BadBrokerUrl",
    "Broker",
    "BrokerNotTrusted",
    "BrokerUnavailable",
    "ConfiguredBroker",
    "EmbeddedBroker",
    "connection_options",
    "resolve_broker",
    "speaks_redis",
    "without_password",
]
