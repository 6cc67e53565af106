"""`paragone ingest`: register a catalogue's artworks."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from producer.catalogue_artworks import operator_facts
from producer.cleaning.report_table import report_table
from producer.commands.context import console, emit_json, json_option, pass_runtime
from producer.errors import NoArtworks, WrongUse
from producer.ingest import CatalogueSource, dry_run_ingest, ingest_catalogue
from producer.ingest_steps import next_steps, nothing_found
from producer.readers import parse_columns, read_columns
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from db.runtime import Runtime

_PATH = click.Path(path_type=Path)


@click.command(short_help="Register the artworks of a catalogue.")
@click.argument("catalogue", type=_PATH)
@click.option("--images", type=_PATH, metavar="DIR", help="Image root.  [default: the catalogue's folder]")
@click.option(
    "--file-list", type=_PATH, metavar="FILE", help="Paths in place of the image tree, one per line (also .gz); no image is opened."
)
@click.option("--column", "columns", metavar="OURS=THEIRS", multiple=True, help="Its column of path, artist, title, style or subset.")
@click.option("--columns", "columns_file", type=_PATH, metavar="FILE.toml", help="The same from a table [columns].")
@click.option("--artist", metavar="NAME", help="The artist of all artworks that have none.")
@click.option("--style", metavar="NAME", help="The style of all artworks that have none.")
@click.option("--template", type=_PATH, metavar="FILE.csv", help="Write a CSV with a row for each picture, to be filled in and ingested.")
@click.option("--link", is_flag=True, help="Leave images where they are instead of copying them into the store; for one host.")
@click.option("--dry-run", is_flag=True, help="Read, open and report, but write nothing.")
@json_option
@wait_option(Service.DATABASE, needed=Service.DATABASE)
@pass_runtime
def ingest(
    runtime: Runtime,
    *,
    catalogue: Path,
    images: Path | None,
    file_list: Path | None,
    columns: tuple[str, ...],
    columns_file: Path | None,
    artist: str | None,
    style: str | None,
    template: Path | None,
    link: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Register the artworks of CATALOGUE: a table (CSV, Excel, JSON, parquet), a data set, a folder of images, or a file list.

    Repairs what it can, reports the rest. Run it again to register what is new, repaired or changed.
    """
    if template is not None and dry_run:
        raise WrongUse("--template: a dry run writes nothing: leave --dry-run away")
    source = CatalogueSource(
        catalogue=catalogue,
        images=images,
        file_list=file_list,
        columns=(read_columns(columns_file) if columns_file else {}) | parse_columns(columns),
        exclude=(runtime.settings.data_dir,),
        given=operator_facts(artist=artist, style=style),
    )
    with _progress_bar() as watch:
        if dry_run:
            report = dry_run_ingest(source, watch=watch)
        else:
            store = None if link else runtime.store
            charts = runtime.settings.data_dir / "reports"
            report = ingest_catalogue(source, database=runtime.database, store=store, charts=charts, template=template, watch=watch)
    if as_json:
        emit_json(report.as_json())
    elif report.artworks:
        console().print(report_table(report), soft_wrap=True)
        for line in next_steps(report, source, template):
            console().print(line, markup=False, soft_wrap=True)
    if not report.artworks:
        raise NoArtworks(nothing_found(report))


@contextmanager
def _progress_bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, if that is a terminal."""
    columns = (TextColumn("opening images"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal) as progress:
        bar = progress.add_task("", total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)
