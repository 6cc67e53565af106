"""`paragone tiny-models`: tiny random models of the real classes, to try the machinery without a download."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("tiny-models", short_help="Write tiny random models.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--seed", default=0, show_default=True, help="Seed of the random weights.")
def tiny_models(directory: Path, seed: int) -> None:
    """Write tiny random models into DIRECTORY, for `enqueue --models DIRECTORY`.

    They have the classes of the real ones but are not trained: their captions
    and repaints mean nothing.
    """
    from workers.backends.tiny import build_tiny_models  # brings torch, which the command line does without

    build_tiny_models(directory, seed=seed)
    click.echo(f"tiny random models in {directory}: they are not trained and serve to try the machinery")
