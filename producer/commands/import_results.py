"""`paragone import-results`: captions, prompts and repaints that were made elsewhere become finished jobs of a campaign."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from producer.commands.context import console, emit_json, json_option, pass_runtime
from producer.results_import import ImportOptions, ImportReport, import_results
from producer.results_import.canvas import CanvasChoice
from producer.results_import.columns import parse_column_options
from producer.results_import.options import parse_model_options
from producer.results_import.outcomes import SKIPPED
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from db.runtime import Runtime

_PATH = click.Path(path_type=Path)

#: Rows that are printed one by one.
_SHOWN = 10


@click.command("import-results", short_help="Take in results that were made elsewhere.")
@click.argument("file", type=_PATH)
@click.option("--repaints", type=_PATH, metavar="DIR", help="Folder of the repaints.  [default: the file's folder]")
@click.option("--campaign", metavar="NAME", help="Campaign that takes them.  [default: imported]")
@click.option("--config", metavar="FILE.toml", help="Campaign file: its models make what is missing. Without it nothing is ever made.")
@click.option("--level", metavar="L", default="", help="Of rows that tell none.  [default: the catalogue's category, else 'unknown']")
@click.option("--column", "columns", metavar="OURS=THEIRS", multiple=True, help="Which column holds a fact, such as caption=description.")
@click.option("--source", metavar="TEXT", default="", help="Where the results are from, for their provenance.  [default: the file's name]")
@click.option("--model", "models", metavar="STAGE=MODEL", multiple=True, help="Which model made the results of a stage, if that is known.")
@click.option(
    "--canvas",
    type=click.Choice([str(choice) for choice in CanvasChoice]),
    default=str(CanvasChoice.AUTO),
    show_default=True,
    help="What square repaints of other originals are: with bars, stretched, or to be kept.",
)
@click.option("--dry-run", is_flag=True, help="Read, join, open and report, but write nothing.")
@json_option
@wait_option(Service.DATABASE, needed=Service.DATABASE)
@pass_runtime
@click.pass_context
def import_results_command(
    context: click.Context,
    runtime: Runtime,
    *,
    file: Path,
    repaints: Path | None,
    campaign: str | None,
    config: str | None,
    level: str,
    columns: tuple[str, ...],
    source: str,
    models: tuple[str, ...],
    canvas: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take in captions, prompts and repaints that FILE lists (a CSV, also .gz), of artworks that were registered by `paragone ingest`.

    They become finished jobs of a campaign. Import the file again after it changed: what differs supersedes what was there.
    """
    options = ImportOptions(
        file=file,
        repaints=repaints,
        campaign=campaign,
        config=config,
        level=level.strip().casefold(),
        columns=parse_column_options(columns),
        source=source,
        models=parse_model_options(models),
        canvas=CanvasChoice(canvas),
    )
    with _progress_bar() as watch:
        report = import_results(runtime, options, dry_run=dry_run, watch=watch)
    if as_json:
        emit_json(report)
    else:
        _show(console(), report)
    if report.rows and not report.taken_in:
        context.exit(1)


def _show(out: Console, report: ImportReport) -> None:
    verb = "would be in" if report.dry_run else "in"
    out.print(f"campaign {report.campaign}: {report.taken_in:,} of {report.rows:,} rows {verb}", markup=False, soft_wrap=True)
    _counts(out, "rows", report.outcomes)
    _counts(out, "canvas of what is new", report.canvases)
    _counts(out, "originals found by", report.joined_by)
    _counts(out, "left out", report.left_out)
    if report.unread_columns:
        out.print(f"columns not read: {', '.join(report.unread_columns)} (--column OURS=THEIRS)", markup=False, soft_wrap=True)
    for row in report.skipped[:_SHOWN]:
        out.print(f"row {row.row}, {row.outcome}: {row.reason}", markup=False, soft_wrap=True)
    skipped = sum(report.outcomes[outcome] for outcome in SKIPPED)
    if skipped > _SHOWN:
        where = f": all are in {report.skipped_file}" if report.skipped_file else ""
        out.print(f"... and {skipped - _SHOWN:,} more{where}", markup=False, soft_wrap=True)
    if report.taken_in and not report.dry_run:
        out.print(f"next: `paragone train --campaign {report.campaign}`, `paragone report --campaign {report.campaign}`", style="dim")


def _counts(out: Console, title: str, counts: dict[str, int]) -> None:
    told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    if told:
        out.print(f"{title}: {told}", markup=False, soft_wrap=True)


@contextmanager
def _progress_bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, if that is a terminal."""
    columns = (TextColumn("importing results"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal) as progress:
        bar = progress.add_task("", total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)
