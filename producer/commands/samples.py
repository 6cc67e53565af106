"""`paragone samples`: paint sample artworks with a catalogue."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from producer.commands.context import console, emit_json, json_option


@click.command(short_help="Paint sample artworks with a catalogue.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--count", default=48, show_default=True, type=click.IntRange(min=1), help="Scenes; from 12 on, a few artworks with gaps are added."
)
@click.option(
    "--size", default=512, show_default=True, type=click.IntRange(min=32, max=4096), metavar="PX", help="Pixels on the longer side."
)
@click.option("--seed", default=0, show_default=True, help="The same seed paints the same images.")
@click.option(
    "--versions",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="How often to paint each scene, in other styles and palettes; folders of more than one version have no gaps.",
)
@json_option
def samples(folder: Path, count: int, size: int, seed: int, versions: int, *, as_json: bool) -> None:
    """Paint sample artworks into DIR, with classes.csv, and the truth about them in truth.json."""
    from producer.samples import paint_tree

    tree = paint_tree(folder, count=count, size=size, seed=seed, versions=versions)
    if as_json:
        emit_json({"folder": tree.folder, "artworks": tree.artworks, "gaps": tree.gaps})
        return
    console().print(
        f"{tree.artworks} artworks in {escape(str(tree.folder))}; next: paragone ingest {escape(str(tree.folder))}", soft_wrap=True
    )
    for gap, path in tree.gaps.items():
        console().print(f"[dim]added for cleaning to find: {gap}: {escape(path)}[/]", soft_wrap=True)
