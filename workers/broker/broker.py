"""What every broker offers, and which one the settings mean."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol, Self

from workers.broker.configured import ConfiguredBroker
from workers.broker.embedded import EmbeddedBroker
from workers.broker.tls import unchecked, with_checks
from workers.broker.url import check_broker_url

if TYPE_CHECKING:
    from db.settings import Settings

logger = logging.getLogger(__name__)


class Broker(Protocol):
    """Carries the wake-ups. Use it as a context manager: inside, something answers at `url`."""

    @property
    def url(self) -> str:
        """The URL for Celery; may hold a password."""
        ...

    def is_running(self) -> bool:
        """Whether something answers at `url`; raises `BrokerNotTrusted`."""
        ...

    def refuse_untrusted(self) -> None:
        """Raise `BrokerNotTrusted` if what answers cannot be trusted; one that does not answer is no matter."""
        ...

    def join(self) -> None:
        """Make sure that it runs for as long as this process uses it; raises `BrokerUnavailable`."""
        ...

    def leave(self) -> None:
        """This process uses it no more."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def resolve_broker(settings: Settings) -> Broker:
    """The broker at the configured URL, or the embedded one of the data directory. Starts nothing.

    Raises `BadBrokerUrl` for a URL that cannot work; whether anything answers there is another matter.
    """
    url = settings.broker_url.get_secret_value()
    if not url:
        return EmbeddedBroker(settings.data_dir / "broker")
    check_broker_url(url)
    url = with_checks(url, settings.broker_ca)
    if warning := unchecked(url):
        logger.warning("%s", warning)
    return ConfiguredBroker(url)
