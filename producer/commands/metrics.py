"""`paragone metrics`: the queue's state for Prometheus."""

from __future__ import annotations

import signal
from queue import SimpleQueue
from typing import TYPE_CHECKING

import click

from db.engine import connect
from db.signal_wait import wait_for_item
from producer.commands.context import console, pass_runtime

if TYPE_CHECKING:
    from db.runtime import Runtime

#: Beside those that other exporters have taken.
PORT = 9464


@click.command(short_help="Serve the queue's state to Prometheus.")
@click.option("--address", help="Address to listen at.  [default: PARAGONE_METRICS_ADDRESS or 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port; 0 takes a free one.")
@pass_runtime
def metrics(runtime: Runtime, *, address: str | None, port: int) -> None:
    """Serve /metrics from the database until Ctrl-C: one such process for all hosts.

    While the database is away it tells `paragone_up 0`. What worker processes do is
    served by `paragone work` where PARAGONE_METRICS_PORT is set.
    """
    from prometheus_client import CollectorRegistry

    from producer.metrics.database_collector import DatabaseCollector
    from workers.metrics.http_server import served

    connect(runtime.settings.sqlalchemy_url).dispose()  # connects to nothing: a URL that cannot work is told now
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(runtime))
    where = runtime.settings.metrics_address if address is None else address
    signals: SimpleQueue[int] = SimpleQueue()  # an event might wait for a lock that the interrupted code holds
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: signals.put(number))
    with served(registry, address=where, port=port, named_by="--port") as bound:
        host = f"[{where}]" if ":" in where else where
        out = console()
        out.print(f"metrics are at http://{host}:{bound}/metrics", soft_wrap=True)
        out.file.flush()
        wait_for_item(signals)
