"""`paragone health`: whether database, broker, store, models, GPU and progress are as they should be."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from producer.commands.check_lines import print_checks
from producer.commands.context import emit_json, json_option, pass_runtime
from producer.durations import duration_callback

if TYPE_CHECKING:
    from db.runtime import Runtime


@click.command(short_help="Check database, broker, store, models, GPU.")
@click.option("--quick", is_flag=True, help="Only whether database and broker answer.")
@click.option("--worker", is_flag=True, help="Also whether a worker of this host is alive, by its heartbeat.")
@click.option("--timeout", metavar="TIME", default="2s", show_default=True, callback=duration_callback, help="For all checks together.")
@json_option
@pass_runtime
def health(runtime: Runtime, *, quick: bool, worker: bool, timeout: float, as_json: bool) -> None:
    """Check database, broker, store marker, models, GPU and progress; exit 1 if one of them fails.

    Makes, starts and migrates nothing. A container's health check: `paragone health --quick --worker`.
    """
    from producer.health import CheckState, read_health  # imports the broker's libraries, which `--help` does not need

    report = read_health(runtime, quick=quick, own_workers=worker, timeout_seconds=timeout)
    if as_json:
        emit_json(report)
    else:
        print_checks(report.checks)
    sys.exit(1 if report.state is CheckState.FAIL else 0)
