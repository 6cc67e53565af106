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
    from trainer.pocket.pack_training import PackTraining, train_pack

    chosen = recipes.SMOKE if smoke else recipes.Recipe(seed=seed)
    train_pack(PackTraining(recipe=chosen, folder=work, log=_log), out)
    click.echo(f"the pack is in {out}")


@main.command
@click.argument("directory", type=_FOLDER, default="workers/pocket")
@click.option("--work", type=_FOLDER, default="paragone-pocket", show_default=True, help="Folder for paintings, the classifier and caches.")
@click.option("--untrained", is_flag=True, help="Measure fresh weights instead, which should fall to chance.")
@click.option("--write", is_flag=True, help="Put the figures into the cards.")
@click.option("--smoke", is_flag=True, help="A few paintings only.")
def measure(directory: Path, work: Path, untrained: bool, write: bool, smoke: bool) -> None:
    """Measure the pack in DIRECTORY on held-out paintings and print the table."""
    from trainer.pocket.cards import write_cards
    from trainer.pocket.colours import PaletteScale
    from trainer.pocket.measures_table import markdown
    from trainer.pocket.pack_measures import PackMeasures
    from trainer.pocket.pack_training import PackTraining, write_untrained

    chosen = recipes.SMOKE if smoke else recipes.Recipe()
    training = PackTraining(recipe=chosen, folder=work, log=_log)
    if untrained:
        directory = work / "untrained"
        write_untrained(training, directory)
    palettes = PaletteScale(training.classifier_paintings())
    rows = PackMeasures(pack=directory, paintings=training.held_out(), classifier=training.classifier(), palettes=palettes, log=_log).rows()
    click.echo(markdown(rows))
    if write:
        write_cards(directory, chosen, rows)


def _log(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
