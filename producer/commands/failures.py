"""`paragone failures`: what was given up, and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from db.campaigns import all_campaigns, find_campaign
from db.monitoring.failures import failures as failed_jobs
from producer.commands.context import console, emit_json, json_option, pass_runtime
from producer.commands.selecting import kind_option, stage_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.enums import FailureKind, Stage
    from db.runtime import Runtime

#: Rows of the table for people; `--json` gives all.
SHOWN = 50


@click.command
@click.option("--campaign", metavar="NAME", help="Only this campaign.")
@stage_option
@kind_option
@json_option
@pass_runtime
def failures(runtime: Runtime, *, campaign: str | None, stage: Stage | None, kind: FailureKind | None, as_json: bool) -> None:
    """List the jobs that were given up, with their kind and error."""
    chosen = find_campaign(runtime.database, campaign).id if campaign else None
    names = {book.id: book.name for book in all_campaigns(runtime.database)}
    found = [
        {
            "job": failed.job,
            "campaign": names[failed.campaign_id],
            "stage": failed.stage,
            "kind": failed.kind,
            "error": failed.error,
            "attempts": failed.attempts,
            "artwork": failed.artwork,
            "artwork_id": failed.artwork_id,
        }
        for failed in failed_jobs(runtime.database, chosen, stage, kind)
    ]
    if as_json:
        emit_json(found)
    else:
        _show(found)


def _show(found: Sequence[dict[str, Any]]) -> None:
    out = console()
    if not found:
        out.print("no failed jobs")
        return
    table = Table("campaign", "stage", "kind", "tries", "artwork", "error", box=None, pad_edge=False)
    for row in found[:SHOWN]:
        cells = (row["campaign"], row["stage"], row["kind"], str(row["attempts"]), row["artwork"], row["error"])
        # Text: an error may hold brackets that rich would take for its own.
        table.add_row(*(Text(str(cell)) for cell in cells))
    out.print(table)
    if len(found) > SHOWN:
        out.print(f"... and {len(found) - SHOWN:,} more: --json lists all")
    counts = Counter((row["stage"], row["kind"]) for row in found)
    out.print(", ".join(f"{count:,} {kind} at {stage}" for (stage, kind), count in counts.most_common()))
    out.print("mended? `paragone requeue --kind KIND`", style="dim")
