"""`paragone drain`: a host's workers finish what they hold, claim nothing more, and end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from producer.commands.context import console, emit_json, json_option, pass_runtime
from producer.draining import drain_host

if TYPE_CHECKING:
    from db.runtime import Runtime


@click.command(short_help="Have a host finish its batches and end.")
@click.argument("host")
@click.option("--undo", is_flag=True, help="Let the host work again.")
@json_option
@pass_runtime
def drain(runtime: Runtime, *, host: str, undo: bool, as_json: bool) -> None:
    """Have the workers of HOST finish what they hold, claim nothing more, and end.

    `paragone work` there ends with 0, and ends at once when it is started again. `paragone status` lists the hosts.
    """
    result = drain_host(runtime, host, undo=undo)
    if as_json:
        emit_json(result)
        return
    if undo:
        text = f"{host} may work again: start `paragone work` there"
    elif result.workers:
        text = f"draining {host}: its workers ({result.workers}) finish what they hold and end"
    else:
        text = f"drained {host}: no worker of it is alive, and none will begin"
    console().print(text, soft_wrap=True)
