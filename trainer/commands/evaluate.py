"""`paragone evaluate`: a saved model judged again, beside frozen CLIP."""

from __future__ import annotations

import json
from pathlib import Path

import click

from db.campaigns import find_campaign
from trainer.commands.context import Runtime, models_option, pass_runtime
from trainer.errors import BadModelFolder


@click.command("evaluate")
@click.argument("model_directory", metavar="MODEL_DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--campaign", "campaign_name", help="Judge by all of this campaign that the model has not learned from.")
@models_option("CLIP")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@pass_runtime
def evaluate(runtime: Runtime, *, model_directory: Path, campaign_name: str | None, models: Path | None, as_json: bool) -> None:
    """Judge a trained model: by the test part of its own triplets, or by a campaign."""
    campaign = find_campaign(runtime.database, campaign_name) if campaign_name is not None else None
    if not (model_directory / "config.json").is_file():
        raise BadModelFolder(f"{model_directory} holds no config.json: name the folder of a trained model, such as OUT/80-20")

    from trainer.evaluation import plain_table
    from trainer.judgement import judge_again, judge_campaign
    from trainer.model_folder import load_model
    from trainer.sources import best_device, saved_clip
    from workers.backends.clip import ClipEmbedder

    model = load_model(model_directory)
    embedder = ClipEmbedder(model=saved_clip(model.config.clip, models or runtime.settings.models), device=best_device())
    if campaign is None:
        evaluation = judge_again(runtime.database, runtime.store, model, embedder)
    else:
        evaluation = judge_campaign(runtime.database, runtime.store, model, embedder, campaign)
    if as_json:
        click.echo(json.dumps({"model": str(model_directory), "campaign": campaign_name, **evaluation.model_dump(mode="json")}))
        return
    click.echo(plain_table(evaluation))
    if evaluation.left_out:
        click.echo(f"{evaluation.left_out} triplets left out: their pictures cannot be read", err=True)
