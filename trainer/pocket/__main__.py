"""`python -m trainer.pocket train` makes the pack, `measure` measures one."""

from __future__ import annotations

from pathlib import Path

import click

from trainer.pocket import recipe as recipes

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def main() -> None:
    """Train and measure the pocket models."""


@main.command
@click.option("--work", type=_FOLDER, default="paragone-pocket", show_default=True, help="Folder for paintings, checkpoints and caches.")
@click.option("--out", type=_FOLDER, default="workers/pocket", show_default=True, help="Where the pack is written.")
@click.option("--seed", default=0, show_default=True)
@click.option("--smoke", is_flag=True, help="A few steps of everything.")
def train(work: Path, out: Path, seed: int, smoke: bool) -> None:  # click passes it by name
    """Train all models, or go on where it stopped, and write the pack."""
    from trainer.pocket.training import Workshop, train_pack

    chosen = recipes.SMOKE if smoke else recipes.Recipe(seed=seed)
    train_pack(Workshop(recipe=chosen, folder=work, say=_say), out)
    click.echo(f"the pack is in {out}")


@main.command
@click.argument("directory", type=_FOLDER, default="workers/pocket")
@click.option("--work", type=_FOLDER, default="paragone-pocket", show_default=True, help="Folder for paintings, the judge and caches.")
@click.option("--untrained", is_flag=True, help="Measure fresh weights instead, which ought to fall to chance.")
@click.option("--write", is_flag=True, help="Put the figures into the cards.")
@click.option("--smoke", is_flag=True, help="A few paintings only.")
def measure(directory: Path, work: Path, untrained: bool, write: bool, smoke: bool) -> None:
    """Measure the pack in DIRECTORY on held-out paintings and print the table."""
    from trainer.pocket.cards import write_cards
    from trainer.pocket.colours import PaletteScale
    from trainer.pocket.measures import Measured
    from trainer.pocket.table import markdown
    from trainer.pocket.training import Workshop, write_untrained

    chosen = recipes.SMOKE if smoke else recipes.Recipe()
    workshop = Workshop(recipe=chosen, folder=work, say=_say)
    if untrained:
        directory = work / "untrained"
        write_untrained(workshop, directory)
    palettes = PaletteScale(workshop.judged_paintings())
    rows = Measured(pack=directory, paintings=workshop.held_out(), judge=workshop.judge(), palettes=palettes, say=_say).rows()
    click.echo(markdown(rows))
    if write:
        write_cards(directory, chosen, rows)


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
