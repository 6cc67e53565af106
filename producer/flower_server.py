"""Flower on our broker: one task for each job, live, behind a password."""

from __future__ import annotations

import errno
import logging
import secrets
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flower.app import Flower
from flower.command import extract_settings, setup_logging
from flower.options import options
from flower.urls import settings as handler_settings
from kombu import Connection

from producer.errors import PortTaken
from producer.flower_handlers import add_handlers, clean_prefix
from producer.flower_history import FlowerHistory
from workers.broker import BrokerUnavailable, resolve_broker
from workers.wake_ups.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.runtime import Runtime

#: Jobs that Flower remembers; the complete history is in the attempts table.
MOST_JOBS = 100_000
#: Seconds after which Flower certainly listens to its workers.
LISTENING_SECONDS = 5.0
COLUMNS = "name,uuid,state,args,received,runtime,worker,exception"
#: Bytes of a generated password.
PASSWORD_BYTES = 12


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where Flower listens, and its credentials."""

    url: str
    user: str
    password: str
    #: Whether the password was generated for this run; it is stored nowhere.
    generated: bool


def serve(runtime: Runtime, *, address: str, port: int, url_prefix: str, xheaders: bool, announce: Callable[[Endpoint], None]) -> None:
    """Run Flower until SIGTERM or Ctrl-C, with the latest attempts of the database as its history; `announce` is called once it listens.

    `xheaders` believes what a proxy says of its client. Raises `PortTaken`, `WrongUse` for a prefix that cannot be a path, and
    `BrokerUnavailable` if nothing answers at the configured broker.
    """
    settings = runtime.settings
    prefix = clean_prefix(url_prefix)
    configured = settings.flower_password.get_secret_value()
    password = configured or secrets.token_urlsafe(PASSWORD_BYTES)
    with resolve_broker(settings) as broker:
        if not broker.is_running():
            shown = Connection(broker.url).as_uri()  # hides the password
            raise BrokerUnavailable(
                f"no broker answers at {shown}: start it, or fix PARAGONE_BROKER_URL (rediss:// only where it speaks TLS)"
            )
        options.url_prefix, options.xheaders = prefix or None, xheaders
        _configure(address, port, user=settings.flower_user, password=password)
        with create_app(broker.url) as app:
            flower = Flower(capp=app, options=options, **handler_settings)
            add_handlers(flower, prefix=prefix)
            bound = _listen(flower, address, port)
            history = FlowerHistory(flower.events.state, lambda: runtime.database, limit=settings.flower_history)
            history.tell()
            flower.io_loop.call_later(LISTENING_SECONDS, history.tell)
            announce(Endpoint(url=_url(address, bound, prefix), user=settings.flower_user, password=password, generated=not configured))
            _run(flower)


def _configure(address: str, port: int, *, user: str, password: str) -> None:
    options.address, options.port = address, port
    options.basic_auth = [f"{user}:{password}"]
    options.persistent = False
    options.max_tasks = MOST_JOBS
    options.tasks_columns = COLUMNS
    extract_settings()
    setup_logging()
    # It inspects workers before any may be running, and logs a warning for each inspection.
    logging.getLogger("flower.inspector").setLevel(logging.ERROR)


def _listen(flower: Flower, address: str, port: int) -> int:
    """The port that was bound; port 0 lets the system choose."""
    try:
        return int(flower.start_http_server())
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(f"port {port} of {address} is taken: choose another with --port or PARAGONE_FLOWER_PORT") from None
        raise PortTaken(f"Flower cannot listen at {address}:{port} ({error.strerror}): choose others with --address and --port") from None


def _run(flower: Flower) -> None:
    """Serve until a signal; the loop ends before the broker does, so that nothing is left to log errors."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: flower.io_loop.add_callback_from_signal(flower.stop))
    flower.start()


def _url(address: str, port: int, prefix: str) -> str:
    host = socket.gethostname() if address in {"", "0.0.0.0", "::"} else address  # noqa: S104  # only shown
    path = f"/{prefix}/" if prefix else ""
    return f"http://[{host}]:{port}{path}" if ":" in host else f"http://{host}:{port}{path}"
