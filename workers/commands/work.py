"""`paragone work`: one supervised worker process for each device of this host."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from db.engine.wait import wait_until_available
from db.enums import Stage
from db.jobs.drain import is_drained
from db.jobs.planned_work import anything_planned
from workers.broker import resolve_broker
from workers.commands.wait_option import wait_option
from workers.gpus import chosen_devices, configured_gpus
from workers.host_watch import drained_text
from workers.metrics.fleet_metrics import fleet_metrics
from workers.service_wait import Service
from workers.supervision.job_return import JobReturn
from workers.supervision.supervisor import Supervisor
from workers.tracing import check_tracing

if TYPE_CHECKING:
    from db.engine import Database
    from db.runtime import Runtime


def _stages(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[Stage]:
    if not value:
        return list(Stage)
    named = {name.strip() for name in value.split(",") if name.strip()}
    if not named or not named <= set(Stage):
        unknown = ", ".join(sorted(named - set(Stage))) or "nothing"
        raise click.BadParameter(f"{unknown} is no stage: the stages are {', '.join(Stage)}")
    return [stage for stage in Stage if stage in named]


def _anything_planned(database: Database) -> bool:
    with database.read() as connection:
        return anything_planned(connection)


@click.command(short_help="Run workers on the devices of this host.")
@click.option("--gpus", default="", metavar="all|0,1|none", help="One process for each GPU; none uses the CPU. [default: all there are]")
@click.option("--stages", callback=_stages, metavar="S,S", help="Stages to serve, such as caption,prompt. [default: all]")
@click.option("--until-idle", is_flag=True, help="End when no work can be expected any more.")
@wait_option(Service.DATABASE, Service.BROKER, needed=Service.DATABASE)
@click.pass_obj
def work(runtime: Runtime, gpus: str, stages: list[Stage], *, until_idle: bool) -> None:
    """Work on this host's devices until stopped; waits for a database that is away, and needs neither broker nor store to begin."""
    settings = runtime.settings
    broker = resolve_broker(settings)
    devices = chosen_devices(gpus, configured=configured_gpus(settings.gpus, os.environ))
    # What cannot work is reported here, once, not by every process.
    broker.refuse_untrusted()
    check_tracing(settings)
    database = wait_until_available(lambda: runtime.database)
    if wait_until_available(lambda: is_drained(database, settings.host_name)):
        click.echo(f"paragone: {drained_text(settings.host_name)}: nothing is started", err=True)
        return
    nothing_planned = until_idle and not wait_until_available(lambda: _anything_planned(database))
    database.dispose()  # the supervisor needs it only when a worker has died
    with broker, fleet_metrics(settings) as metrics:
        if nothing_planned:
            click.echo("paragone: no job was ever planned: `paragone enqueue` plans them", err=True)
        job_return = JobReturn(database)
        supervisor = Supervisor(devices, settings=settings, stages=stages, until_idle=until_idle, job_return=job_return, metrics=metrics)
        sys.exit(supervisor.run())
