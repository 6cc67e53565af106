"""`paragone train`: embed, split, draw, train, judge; several splits on one plot."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from db.campaigns import find_campaign
from trainer.commands.context import Runtime, pass_runtime
from trainer.splits import Shares

if TYPE_CHECKING:
    from trainer.history import Epoch
    from trainer.orders import Outcome


#: Between two lines of progress while pictures are embedded.
_SECONDS = 5.0


def _shares(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[Shares]:
    try:
        return list({str(shares): shares for shares in map(Shares.parse, values)}.values())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _temperature(_context: click.Context, _parameter: click.Parameter, value: str) -> float | Literal["learned"]:
    if value == "learned":
        return "learned"
    try:
        if (number := float(value)) > 0:
            return number
    except ValueError:
        pass
    raise click.BadParameter(f"{value!r} is neither a positive number nor 'learned'")


@click.command("train")
@click.option("--campaign", "campaign_name", help="The campaign to learn from; the latest if not named.")
@click.option(
    "--split", "splits", multiple=True, default=("80/20",), show_default=True, callback=_shares, help="Train/test in percent; repeatable."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where models and curves go: one folder a split.")
@click.option("--epochs", type=click.IntRange(min=1), default=60, show_default=True, help="At most; early stopping may end sooner.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides split, negatives, first weights and dropout.")
@click.option(
    "--clip", "clip", metavar="MODEL_OR_DIR", help="CLIP for the embeddings; the local models' own, else openai/clip-vit-base-patch32."
)
@click.option("--temperature", default="0.1", show_default=True, callback=_temperature, metavar="X|learned", help="The t of the loss.")
@click.option("--negatives", type=click.IntRange(min=1), default=4, show_default=True, help="Triplets drawn for each repaint.")
@click.option("--resume/--fresh", "resume", default=None, help="Go on from a checkpoint or begin anew; default: go on where it fits.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@pass_runtime
def train(
    runtime: Runtime,
    *,
    campaign_name: str | None,
    splits: list[Shares],
    out: Path | None,
    epochs: int,
    seed: int,
    clip: str | None,
    temperature: float | Literal["learned"],
    negatives: int,
    resume: bool | None,
    as_json: bool,
) -> None:
    """Train a siamese head on a campaign's originals and repaints."""
    campaign = find_campaign(runtime.database, campaign_name)

    from trainer.configuration import TrainingConfig
    from trainer.orders import Order, carry_out
    from trainer.run import Start

    order = Order(
        splits=tuple(splits),
        config=TrainingConfig(seed=seed, epochs=epochs, temperature=temperature),
        directory=(out or runtime.settings.data_dir / "training" / campaign.name).expanduser().resolve(),
        start=Start.AUTO if resume is None else Start.RESUME if resume else Start.FRESH,
        negatives=negatives,
        clip=clip,
        models=runtime.settings.models,
    )
    outcome = carry_out(runtime.database, runtime.store, campaign, order, _Told())
    if as_json:
        click.echo(json.dumps(_facts(campaign.name, outcome)))
    else:
        _print(outcome)


class _Told:
    """Progress for the person who waits, on stderr."""

    def __init__(self) -> None:
        self._said_at = 0.0

    def embedded(self, done: int, total: int) -> None:
        """A line every few seconds, and the last."""
        if done == total or time.monotonic() - self._said_at >= _SECONDS:
            self._said_at = time.monotonic()
            click.echo(f"embedded {done} of {total} pictures", err=True)

    def epoch(self, split: str, epoch: Epoch) -> None:
        """One line an epoch."""
        judged = (
            "" if epoch.validation_loss is None else f", validation {epoch.validation_loss:.4f} ({epoch.validation_accuracy:.1%} right)"
        )
        click.echo(f"{split} epoch {epoch.number}: loss {epoch.train_loss:.4f} ({epoch.train_accuracy:.1%} right){judged}", err=True)


def _facts(campaign: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "campaign": campaign,
        "runs": [run.as_json() for run in outcome.runs],
        "plot": str(outcome.plot),
        "unreadable": outcome.unreadable,
        "untrained_models": outcome.untrained_models,
    }


def _print(outcome: Outcome) -> None:
    from trainer.evaluation import plain_table

    for content_hash, reason in outcome.unreadable.items():
        click.echo(f"left out: picture {content_hash[:12]}: {reason}", err=True)
    for run in outcome.runs:
        counts = run.triplet_set.recipe["triplets"]
        click.echo(f"{run.shares}: {counts['train']} training and {counts['test']} test triplets, best epoch {run.history.best_epoch}")
        click.echo(plain_table(run.evaluation))
        click.echo(f"model: {run.directory}\n")
    click.echo(f"curves: {outcome.plot}")
    if outcome.untrained_models:
        click.echo("The models behind this were never trained: the figures show that the machinery works, nothing more.")
