"""`paragone demo`: the whole pipeline on sample artworks, on this machine, with a report to look at."""

from __future__ import annotations

from pathlib import Path

import click

from db.models_directory import POCKET
from producer.commands.context import console
from producer.demo import DemoOptions, run_demo


@click.command(short_help="Run everything on sample artworks, with a report.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default="paragone-demo", show_default=True, help="Folder for everything."
)
@click.option("--artworks", type=click.IntRange(14), default=48, show_default=True, help="Sample artworks to paint.")
@click.option("--seed", default=0, show_default=True, help="Seed of the samples.")
@click.option("--models", metavar="DIR|pocket", default=POCKET, show_default=True, help="Local models.")
@click.option("--shared", is_flag=True, help="Use the configured database, broker and store, and the workers that run there.")
def demo(*, out: Path, artworks: int, seed: int, models: str, shared: bool) -> None:
    """Paint sample artworks, run a campaign with two workers, train, write a report."""
    options = DemoOptions(out=out.resolve(), artworks=artworks, seed=seed, models=models, shared=shared)
    screen = console()
    run_demo(options, screen)
    screen.print(f"\n[bold green]done[/bold green]: open {options.report}", soft_wrap=True)
