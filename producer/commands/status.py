"""`paragone status`: how far the jobs are, at what pace, on which workers, and what is stuck."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click
from rich.console import Group
from rich.live import Live
from rich.text import Text

from db.errors import DatabaseUnavailable
from producer.commands.context import console, emit_json, json_option, pass_runtime
from producer.errors import WrongUse
from producer.status import read_status
from producer.status_view import status_view
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from db.runtime import Runtime

#: Seconds between two refreshes of `--watch`.
REFRESH_SECONDS = 2.0


@click.command(short_help="Show progress, pace, workers and what is stuck.")
@click.option("--campaign", metavar="NAME", help="Only this campaign.  [default: all]")
@click.option("--watch", is_flag=True, help="Refresh every two seconds, until Ctrl-C.")
@json_option
@wait_option(Service.DATABASE, needed=Service.DATABASE)
@pass_runtime
def status(runtime: Runtime, *, campaign: str | None, watch: bool, as_json: bool) -> None:
    """Show counts by stage and state, the pace, the time left, workers, and what is stuck and why."""
    if watch and as_json:
        raise WrongUse("--watch is for people and --json for programs: choose one")
    if watch:
        _watch(runtime, campaign, console())
        return
    found = read_status(runtime, campaign)
    if as_json:
        emit_json(found)
    else:
        console().print(status_view(found))


def _watch(runtime: Runtime, campaign: str | None, out: Console) -> None:
    shown: RenderableType = Text("reading ...")
    try:
        with Live(shown, console=out, auto_refresh=False, vertical_overflow="visible") as live:
            while True:
                try:
                    shown = status_view(read_status(runtime, campaign))
                    live.update(shown, refresh=True)
                except DatabaseUnavailable as error:
                    # The connection pool reconnects by itself: keep showing the last view, and try again.
                    live.update(Group(shown, Text(), _unavailable(error)), refresh=True)
                time.sleep(REFRESH_SECONDS)
    except KeyboardInterrupt:
        return


def _unavailable(error: DatabaseUnavailable) -> Text:
    return Text(f"{time.strftime('%H:%M:%S')} {error}; trying again", style="red")
