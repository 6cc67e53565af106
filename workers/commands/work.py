"""`paragone work`: one supervised worker process for each device of this host."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from db.enums import Stage
from workers.broker import resolve_broker
from workers.gpus import chosen_devices
from workers.supervisor import Supervisor

if TYPE_CHECKING:
    from db.runtime import Runtime


def _stages(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[Stage]:
    if not value:
        return list(Stage)
    try:
        return [Stage(name.strip()) for name in value.split(",") if name.strip()]
    except ValueError as error:
        raise click.BadParameter(f"{error}: the stages are {', '.join(Stage)}") from None


@click.command(short_help="Run workers on the devices of this host.")
@click.option("--gpus", default="", metavar="all|0,1|none", help="One process for each GPU; none uses the CPU. [default: all there are]")
@click.option("--stages", callback=_stages, metavar="S,S", help="Stages to serve. [default: all]")
@click.option("--until-idle", is_flag=True, help="End when no work can be expected any more.")
@click.pass_obj
def work(runtime: Runtime, gpus: str, stages: list[Stage], *, until_idle: bool) -> None:
    """Work on this host's devices until stopped."""
    # What a scheduler has given this process goes before what the host has.
    devices = chosen_devices(gpus, configured=runtime.settings.gpus or os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    _ = runtime.database, runtime.store  # what cannot work is reported here, once, not by every process
    with resolve_broker(runtime.settings):
        sys.exit(Supervisor(devices, settings=runtime.settings, stages=stages, until_idle=until_idle).run())
