"""`paragone samples`: paint sample artworks with a catalogue."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from producer.commands.context import console, emit_json, json_option


@click.command
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--count", default=48, show_default=True, type=click.IntRange(min=1), help="Scenes; a few artworks with gaps come on top from 12 on."
)
@click.option(
    "--size", default=512, show_default=True, type=click.IntRange(min=32, max=4096), metavar="PX", help="Pixels on the longer side."
)
@click.option("--seed", default=0, show_default=True, help="The same seed paints the same pictures.")
@click.option(
    "--versions",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Paint each scene so many times, in other styles and palettes; more than one is training material and has no gaps.",
)
@json_option
def samples(folder: Path, count: int, size: int, seed: int, versions: int, *, as_json: bool) -> None:
    """Paint sample artworks into DIR, with classes.csv and their truth in truth.json."""
    from producer.samples import paint_tree

    painted = paint_tree(folder, count=count, size=size, seed=seed, versions=versions)
    if as_json:
        emit_json({"folder": painted.folder, "artworks": painted.artworks, "gaps": painted.gaps})
        return
    console().print(
        f"{painted.artworks} artworks in {escape(str(painted.folder))}; next: paragone ingest {escape(str(painted.folder))}", soft_wrap=True
    )
    for gap, path in painted.gaps.items():
        console().print(f"[dim]on top, for cleaning to find: {gap}: {escape(path)}[/]", soft_wrap=True)
