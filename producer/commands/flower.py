"""`paragone flower`: Flower on the configured broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from producer.commands.context import console, pass_runtime
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from db.runtime import Runtime
    from producer.flower_server import Endpoint


@click.command(short_help="Show each job live in Flower, until Ctrl-C.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one.  [default: PARAGONE_FLOWER_PORT or 5555]")
@click.option("--address", help="Address to listen at.  [default: PARAGONE_FLOWER_ADDRESS or 127.0.0.1]")
@wait_option(Service.BROKER, needed=Service.BROKER)
@click.option("--url-prefix", metavar="PATH", help="Path under which a proxy offers it.  [default: PARAGONE_FLOWER_URL_PREFIX or none]")
@click.option("--xheaders", is_flag=True, help="Believe a proxy's X-Forwarded headers.  [default: PARAGONE_FLOWER_XHEADERS]")
@pass_runtime
def flower(runtime: Runtime, *, port: int | None, address: str | None, url_prefix: str | None, xheaders: bool) -> None:
    """Show each job live in Flower, until Ctrl-C; it begins with the latest from the database, where the complete history is."""
    from producer.flower_server import serve  # imports Flower and tornado, which the other commands do not need

    settings = runtime.settings
    serve(
        runtime,
        address=settings.flower_address if address is None else address,
        port=settings.flower_port if port is None else port,
        url_prefix=settings.flower_url_prefix if url_prefix is None else url_prefix,
        xheaders=xheaders or settings.flower_xheaders,
        announce=_announce,
    )


def _announce(endpoint: Endpoint) -> None:
    out = console()
    # soft_wrap: a narrow terminal must not wrap what is to be copied.
    out.print(f"Flower is at {endpoint.url}", soft_wrap=True)
    out.print(
        f"user {endpoint.user}, password {endpoint.password if endpoint.generated else 'as in PARAGONE_FLOWER_PASSWORD'}",
        markup=False,
        soft_wrap=True,
    )
    if endpoint.generated:
        out.print("this password is for this run only: set PARAGONE_FLOWER_PASSWORD for a permanent one", soft_wrap=True)
    out.file.flush()
