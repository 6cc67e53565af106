"""`paragone finetune`: the image tower of a CLIP, on a campaign's pairs of images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trainer.commands.options import chosen_pairs, pairs_options
from trainer.splits import parse_split

if TYPE_CHECKING:
    from db.runtime import Runtime
    from trainer.finetune.run import FinetuneResult
    from trainer.splits import SplitRule

#: Steps between two lines of progress.
_EVERY = 10


def _split(_context: click.Context, _parameter: click.Parameter, value: str) -> SplitRule:
    try:
        return parse_split(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("finetune", short_help="Fine-tune CLIP's image tower.")
@pairs_options
@click.option("--split", default="80/20", show_default=True, callback=_split, help="As in train; only the training side is seen.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the CLIP. [default: in the data directory]")
@click.option("--clip", metavar="MODEL_OR_DIR", help="The CLIP to start from. [default: as in train]")
@click.option(
    "--method", type=click.Choice(["lora", "blocks"]), default="lora", show_default=True, help="Low-rank matrices, or all weights."
)
@click.option("--blocks", type=click.IntRange(min=1), default=4, show_default=True, help="Blocks that change, from the last.")
@click.option("--rank", type=click.IntRange(min=1), default=16, show_default=True, help="Of LoRA's matrices.")
@click.option("--steps", type=click.IntRange(min=1), default=1000, show_default=True, help="Steps in all.")
@click.option("--batch", type=click.IntRange(min=2), default=128, show_default=True, help="Pairs of a step, over all GPUs.")
@click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True), default=1e-4, show_default=True, help="At its highest.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides split, pairs and first values.")
@click.option("--resume/--fresh", "resume", default=None, help="Resume from a checkpoint or start anew. [default: resume if it fits]")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.pass_obj
def finetune(
    runtime: Runtime,
    *,
    campaign_name: str | None,
    data: Path | None,
    split: SplitRule,
    out: Path | None,
    clip: str | None,
    method: str,
    blocks: int,
    rank: int,
    steps: int,
    batch: int,
    learning_rate: float,
    seed: int,
    resume: bool | None,
    as_json: bool,
) -> None:
    """Fine-tune the image tower of a CLIP on a campaign's originals and repaints.

    It learns to bring a repaint to its original and away from all others of a batch. What comes out is a CLIP like any other, which
    `paragone train` takes by its option --clip, with the same split and seed. On several GPUs: `accelerate launch -m paragone finetune`.
    """
    source = chosen_pairs(runtime, campaign_name, data)

    from trainer.finetune.config import FinetuneConfig, FinetuneMethod
    from trainer.finetune.run import FinetuneOptions
    from trainer.finetune.run import finetune as run_finetune
    from trainer.training_run import StartMode

    sizes = {"blocks": blocks, "rank": rank, "steps": steps, "batch_size": batch, "warmup": min(50, steps // 10)}
    options = FinetuneOptions(
        config=FinetuneConfig(seed=seed, method=FinetuneMethod(method), learning_rate=learning_rate, **sizes),
        split=split,
        directory=(out or runtime.settings.data_dir / "finetuned" / source.campaign.name).expanduser().resolve(),
        start=StartMode.AUTO if resume is None else StartMode.RESUME if resume else StartMode.FRESH,
        clip=clip,
        models=runtime.settings.models,
    )
    result = run_finetune(source, runtime.store, options, on_step=_progress)
    if result is not None:
        click.echo(json.dumps(result.as_json())) if as_json else _print(result)


def _progress(step: int, loss: float) -> None:
    if step % _EVERY == 0:
        click.echo(f"step {step}: loss {loss:.4f}", err=True)


def _print(result: FinetuneResult) -> None:
    click.echo(f"{result.steps} steps, loss {result.loss:.4f}")
    click.echo("R@1, repaint to original, test side:")
    for level, before in result.before.items():
        click.echo(f"  {level:12} {before:.3f} before, {result.after[level]:.3f} after")
    click.echo(f"clip: {result.clip}")
