"""Whether the broker answers, and whether the store is the one that the database knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.errors import StoreError
from db.store import Store, display_location
from producer.health.check import failed, passed
from workers.broker import without_password

if TYPE_CHECKING:
    from db.runtime import Runtime
    from producer.health.check import HealthCheck
    from workers.broker import Broker

BROKER, STORE = "broker", "store"


def check_broker(runtime: Runtime, broker: Broker) -> HealthCheck:
    """Whether something answers there; an embedded broker runs only while somebody uses it."""
    if not runtime.settings.broker_url.get_secret_value():
        return passed(BROKER, "embedded, running" if broker.is_running() else "embedded: starts with its first user")
    shown = without_password(broker.url, broker.url)
    if broker.is_running():
        return passed(BROKER, f"{shown} answers")
    return failed(BROKER, f"{shown} does not answer", "check PARAGONE_BROKER_URL and that it runs")


def check_store(runtime: Runtime, store_id: str | None, *, writable: bool = False) -> HealthCheck:
    """Whether the store's marker holds the id that the database knows."""
    location = runtime.settings.store_location
    place = display_location(location)
    if store_id is None:
        if runtime.embedded_database:
            return passed(STORE, f"{place} is made when it is first used")
        return failed(STORE, "the database knows no store yet", f"run `paragone init` on a host that has the store at {place}")
    try:
        Store(location, store_id=lambda: store_id).check(writable=writable)
    except StoreError as error:
        return failed(STORE, str(error))
    return passed(STORE, f"{place} has the marker that the database knows")
