"""`paragone failures`: which jobs failed, and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from producer.commands.context import console, emit_json, json_option, pass_runtime
from producer.commands.filter_options import kind_option, stage_option
from producer.failures import list_failures
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.enums import FailureKind, Stage
    from db.runtime import Runtime
    from producer.failures import ReportedFailure

#: Rows of the table for people; `--json` gives all.
SHOWN = 50


@click.command(short_help="List failed jobs with their kind and error.")
@click.option("--campaign", metavar="NAME", help="Only this campaign.")
@stage_option
@kind_option
@json_option
@wait_option(Service.DATABASE, needed=Service.DATABASE)
@pass_runtime
def failures(runtime: Runtime, *, campaign: str | None, stage: Stage | None, kind: FailureKind | None, as_json: bool) -> None:
    """List the jobs that failed for good, with the kind of failure and the error."""
    found = list_failures(runtime, campaign=campaign, stage=stage, kind=kind)
    if as_json:
        emit_json(found)
    else:
        _show(found)


def _show(found: Sequence[ReportedFailure]) -> None:
    out = console()
    if not found:
        out.print("no failed jobs")
        return
    table = Table("campaign", "stage", "kind", "attempts", "artwork", "error", box=None, pad_edge=False)
    for row in found[:SHOWN]:
        cells = (row.campaign, row.stage, row.kind, str(row.attempts), row.artwork, row.error)
        # Text: an error may contain brackets that rich would read as markup.
        table.add_row(*(Text(str(cell)) for cell in cells))
    out.print(table)
    if len(found) > SHOWN:
        out.print(f"... and {len(found) - SHOWN:,} more: --json lists all")
    counts = Counter((row.stage, row.kind) for row in found)
    out.print(", ".join(f"{count:,} {kind} at {stage}" for (stage, kind), count in counts.most_common()))
    out.print("Fixed the cause? Run `paragone requeue --kind KIND`", style="dim")
