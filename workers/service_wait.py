"""Waiting at a command's start for services that are starting too: in containers all of them begin at the same moment."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from db.errors import DatabaseUnavailable
from workers.errors import ServiceMissing
from workers.patient_call import call_within

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from db.runtime import Runtime

logger = logging.getLogger(__name__)

#: Seconds before the second look; each further pause is half as long again, up to the longest.
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 2.0
#: Seconds that one look may take: a host that swallows connections would use up the whole wait.
LOOK_SECONDS = 3.0


class Service(StrEnum):
    """What a command may wait for; the value is its name in messages."""

    DATABASE = "database"
    BROKER = "broker"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """For what a command waits, how long, and what it cannot do without."""

    #: Seconds at most.
    seconds: float
    services: tuple[Service, ...]
    #: Those without which it ends with an error when the time is over; without the others it goes on.
    needed: Collection[Service]


def wait_for_services(runtime: Runtime, waiting: Waiting) -> None:
    """Return when every service answers, with one line in the log when the wait begins and one when it is over.

    What is embedded in this process's data directory is not waited for: it starts when it is first used.

    Raises:
        ServiceMissing: one that is needed did not answer in time; the text names each that did not.
        BadConfiguration, BadBrokerUrl: a URL that no waiting makes good.
    """
    looks = {service: look for service in waiting.services if (look := _LOOKS[service](runtime)) is not None}
    began = time.monotonic()
    away = _unanswered(looks)
    if not away:
        return
    logger.warning("waiting up to %g s for the %s", waiting.seconds, _named(away))
    pause = FIRST_PAUSE_SECONDS
    while away and (left := began + waiting.seconds - time.monotonic()) > 0:
        time.sleep(min(pause, left))
        pause = min(LONGEST_PAUSE_SECONDS, pause * 1.5)
        away = _unanswered({service: looks[service] for service in away})
    waited = time.monotonic() - began
    if not away:
        logger.warning("the %s answered after %.0f s: going on", _named(list(looks)), waited)
    elif missing := [service for service in away if service in waiting.needed]:
        causes = "; ".join(f"{service}: {away[service]}" for service in missing)
        raise ServiceMissing(f"the {_named(missing)} did not answer within {waiting.seconds:g} s ({causes})")
    else:
        logger.warning("the %s did not answer within %g s: going on without", _named(away), waiting.seconds)


def _unanswered(looks: dict[Service, Callable[[], str]]) -> dict[Service, str]:
    """Those that do not answer now, with the cause."""
    return {service: cause for service, look in looks.items() if (cause := _cause(look))}


def _cause(look: Callable[[], str]) -> str:
    try:
        return call_within(LOOK_SECONDS, look)
    except TimeoutError as error:
        return str(error)


def _named(services: Collection[Service]) -> str:
    return " and the ".join(services)


def _look_at_database(runtime: Runtime) -> Callable[[], str] | None:
    if runtime.embedded_database:
        return None
    from db.engine import connect

    settings = runtime.settings
    limit = min(LOOK_SECONDS, settings.database_timeout_seconds)

    def look() -> str:
        database = connect(settings.sqlalchemy_url, timeout_seconds=limit, connections=1)
        try:
            database.ping()
        except DatabaseUnavailable as error:
            return str(error)
        finally:
            database.dispose()
        return ""

    return look


def _look_at_broker(runtime: Runtime) -> Callable[[], str] | None:
    # Celery's libraries take a third of a second to import: only commands that wait for a broker pay for it.
    from workers.broker import resolve_broker

    broker = resolve_broker(runtime.settings)
    if not runtime.settings.broker_url.get_secret_value():
        return None
    return lambda: "" if broker.is_running() else "check PARAGONE_BROKER_URL and that it runs"


_LOOKS = {Service.DATABASE: _look_at_database, Service.BROKER: _look_at_broker}
