"""`paragone work`: one supervised worker process for each device of this host."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from db.engine.wait import wait_until_available
from db.enums import Stage
from workers.broker import resolve_broker
from workers.gpus import chosen_devices, configured_gpus
from workers.metrics.fleet_metrics import fleet_metrics
from workers.supervision.job_return import JobReturn
from workers.supervision.supervisor import Supervisor
from workers.tracing import check_tracing

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
    """Work on this host's devices until stopped; waits for a database that is away, and needs neither broker nor store to begin."""
    settings = runtime.settings
    broker = resolve_broker(settings)
    devices = chosen_devices(gpus, configured=configured_gpus(settings.gpus, os.environ))
    # What cannot work is reported here, once, not by every process.
    check_tracing(settings)
    database = wait_until_available(lambda: runtime.database)
    database.dispose()  # the supervisor needs it only when a worker has died
    with broker, fleet_metrics(settings) as metrics:
        job_return = JobReturn(database)
        supervisor = Supervisor(devices, settings=settings, stages=stages, until_idle=until_idle, job_return=job_return, metrics=metrics)
        sys.exit(supervisor.run())
