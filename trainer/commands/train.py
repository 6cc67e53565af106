"""`paragone train`: embed, split, draw triplets, train, evaluate; several splits on one plot."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from trainer.commands.options import chosen_pairs, pairs_options
from trainer.errors import UnknownComponent
from trainer.heads.parts import parse_heads
from trainer.heads.registry import DEFAULT_HEAD, HEADS
from trainer.losses.registry import DEFAULT_LOSS, LOSSES
from trainer.negatives.registry import DEFAULT_NEGATIVES, check_strategy
from trainer.spaces.registry import SPACES
from trainer.spaces.space_request import DEFAULT_SPACES, SpaceRequest
from trainer.splits import SplitUnit, disjoint_by, parse_split

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.runtime import Runtime
    from trainer.experiment import ExperimentResult
    from trainer.fit.history import Epoch
    from trainer.heads.parts import HeadPart
    from trainer.registry import ComponentRegistry
    from trainer.splits import SplitRule

#: Between two lines of progress while images are embedded.
_SECONDS = 5.0


def _ratios(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[SplitRule]:
    try:
        return list({str(ratio): ratio for ratio in map(parse_split, values)}.values())
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


def _spaces(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[SpaceRequest, ...]:
    try:
        requests = tuple(map(SpaceRequest.parse, values))
        for request in requests:
            SPACES.check(request.kind)
    except (ValueError, UnknownComponent) as error:
        raise click.BadParameter(str(error)) from None
    return requests


def _heads(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, tuple[HeadPart, ...]]:
    try:
        head, parts = parse_heads(values)
        for name in (head, *(part.head for part in parts)):
            HEADS.check(name)
    except (ValueError, UnknownComponent) as error:
        raise click.BadParameter(str(error)) from None
    return head, parts


def _component_option(name: str, registry: ComponentRegistry[Any], default: str, text: str) -> Callable[[Any], Any]:
    """An option that takes a name of the registry; the classes are not imported."""

    def check(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
        try:
            return registry.check(value)
        except UnknownComponent as error:
            raise click.BadParameter(str(error)) from None

    return click.option(name, default=default, show_default=True, metavar="NAME", callback=check, help=text)


def _strategy(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else check_strategy(value)
    except UnknownComponent as error:
        raise click.BadParameter(str(error)) from None


@click.command("train", short_help="Train a siamese head on a campaign.")
@pairs_options
@click.option(
    "--split",
    "ratios",
    multiple=True,
    default=("80/20",),
    show_default=True,
    callback=_ratios,
    help="Train/test or train/validation/test in percent, catalogue (its own subset), or export (that of --data); repeatable.",
)
@click.option(
    "--disjoint",
    type=click.Choice([SplitUnit.ARTIST.value, SplitUnit.ARTWORK.value]),
    default=SplitUnit.ARTIST.value,
    show_default=True,
    help="What shares keep on one side: all works of an artist (by artwork where artists are too few), or the copies of a work.",
)
@click.option("--join-alike", is_flag=True, help="Keep works that look the same on one side of a split by shares.")
@click.option("--allow-leaks", is_flag=True, help="Train although sides share works or pictures; recorded with the model.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for models and curves, one subfolder a split.")
@click.option("--epochs", type=click.IntRange(min=1), default=60, show_default=True, help="At most; early stopping may end sooner.")
@click.option("--steps", type=click.IntRange(min=1), help="Optimiser steps at most, in whole epochs; instead of --epochs.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides split, negatives, first weights and dropout.")
@click.option(
    "--clip", metavar="MODEL_OR_DIR", help="CLIP for the embeddings. [default: that of the local models, else openai/clip-vit-base-patch32]"
)
@click.option(
    "--space",
    "spaces",
    multiple=True,
    default=DEFAULT_SPACES,
    show_default=True,
    callback=_spaces,
    metavar="KIND[:MODEL][#OPTION]",
    help="What turns pictures into vectors: clip, latents (of the generator), vision:MODEL; repeatable, side by side in this order.",
)
@click.option("--temperature", default="0.1", show_default=True, callback=_temperature, metavar="X|learned", help="The t of the loss.")
@click.option(
    "--negatives", "per_repaint", type=click.IntRange(min=1), default=4, show_default=True, help="Triplets drawn for each repaint."
)
@click.option(
    "--negative-strategy",
    metavar="NAME|MIXTURE",
    callback=_strategy,
    help="How negatives are drawn: a name, or several with weights, such as other-style:2,nearest:1."
    f" [default: {DEFAULT_NEGATIVES}, or any where no work has another style]",
)
@_component_option("--loss", LOSSES, DEFAULT_LOSS, "The loss over triplets.")
@click.option(
    "--head",
    "heads",
    multiple=True,
    default=(DEFAULT_HEAD,),
    show_default=True,
    metavar="NAME|SPACE=NAME",
    callback=_heads,
    help="The head over the embeddings; or, repeated, the head of each space, to be weighed on validation.",
)
@click.option("--resume/--fresh", "resume", default=None, help="Resume from a checkpoint or start anew. [default: resume if it fits]")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.pass_obj
def train(
    runtime: Runtime,
    *,
    campaign_name: str | None,
    data: Path | None,
    ratios: list[SplitRule],
    disjoint: str,
    join_alike: bool,
    allow_leaks: bool,
    out: Path | None,
    epochs: int,
    steps: int | None,
    seed: int,
    clip: str | None,
    spaces: tuple[SpaceRequest, ...],
    temperature: float | Literal["learned"],
    per_repaint: int,
    negative_strategy: str | None,
    loss: str,
    heads: tuple[str, tuple[HeadPart, ...]],
    resume: bool | None,
    as_json: bool,
) -> None:
    """Train a siamese head on a campaign's originals and repaints, or on those of an export.

    A split of the catalogue keeps copies together: a group that stands on several sides is trained on, as is one whose subset names no
    side. What the sides share is audited first: copies, or pictures that look the same, on two sides stop the training. What is trained
    from an export is recorded in the model's folder alone.
    """
    source = chosen_pairs(runtime, campaign_name, data)
    campaign = source.campaign

    from trainer.experiment import Experiment, run_experiment
    from trainer.fit.config import TrainingConfig
    from trainer.training_run import StartMode

    experiment = Experiment(
        ratios=tuple(disjoint_by(ratio, SplitUnit(disjoint)) for ratio in ratios),
        config=TrainingConfig(seed=seed, epochs=epochs, steps=steps, temperature=temperature, loss=loss, head=heads[0], parts=heads[1]),
        directory=(out or runtime.settings.data_dir / "training" / campaign.name).expanduser().resolve(),
        start=StartMode.AUTO if resume is None else StartMode.RESUME if resume else StartMode.FRESH,
        per_repaint=per_repaint,
        negative_strategy=negative_strategy,
        clip=clip,
        spaces=spaces,
        models=runtime.settings.models,
        join_alike=join_alike,
        allow_leaks=allow_leaks,
    )
    result = run_experiment(source, runtime.store, experiment, _ProgressLines())
    for run in result.runs:
        for note in run.notes:
            click.echo(f"{run.ratio}: {note}", err=True)
    if as_json:
        click.echo(json.dumps(_as_json(campaign.name, result)))
    else:
        _print(result)


class _ProgressLines:
    """Progress as lines on stderr."""

    def __init__(self) -> None:
        self._printed_at = 0.0

    def embedded(self, done: int, total: int) -> None:
        """A line every few seconds, and the last."""
        if done == total or time.monotonic() - self._printed_at >= _SECONDS:
            self._printed_at = time.monotonic()
            click.echo(f"embedded {done} of {total} images", err=True)

    def epoch(self, split: str, epoch: Epoch) -> None:
        """One line an epoch."""
        validation = (
            "" if epoch.validation_loss is None else f", validation {epoch.validation_loss:.4f} ({epoch.validation_accuracy:.1%} right)"
        )
        click.echo(f"{split} epoch {epoch.number}: loss {epoch.train_loss:.4f} ({epoch.train_accuracy:.1%} right){validation}", err=True)


def _as_json(campaign: str, result: ExperimentResult) -> dict[str, Any]:
    return {
        "campaign": campaign,
        "runs": [run.as_json() for run in result.runs],
        "plot": str(result.plot),
        "unreadable": result.unreadable,
        "untrained_models": result.untrained_models,
    }


def _print(result: ExperimentResult) -> None:
    from trainer.evaluate.metrics_table import evaluation_text

    for content_hash, reason in result.unreadable.items():
        click.echo(f"left out: image {content_hash[:12]}: {reason}", err=True)
    for run in result.runs:
        counts = run.triplet_set.recipe["triplets"]
        how = f"best epoch {run.history.best_epoch}" if run.history.epochs else "fitted in closed form"
        click.echo(f"{run.ratio}: {counts['train']} training and {counts['test']} test triplets, {how}")
        click.echo(evaluation_text(run.evaluation))
        for line in run.audit.lines():
            click.echo(line)
        click.echo(f"model: {run.directory}\n")
    click.echo(f"curves: {result.plot}")
    if result.untrained_models:
        click.echo("These models were never trained: the figures show that the machinery works, nothing more.")
