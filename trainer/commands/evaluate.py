"""`paragone evaluate`: the metrics of a saved model, beside frozen CLIP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from db.campaigns import find_campaign
from trainer.commands.options import models_option
from trainer.errors import BadModelFolder

if TYPE_CHECKING:
    from db.runtime import Runtime


@click.command("evaluate", short_help="Evaluate a trained model.")
@click.argument("model_directory", metavar="MODEL_DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--campaign", "campaign_name", help="Evaluate on what the model has not seen of this campaign.")
@click.option("--altered", is_flag=True, help="Also look for originals by repaints that were re-encoded, resized, cropped and mirrored.")
@models_option("CLIP")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_obj
def evaluate(
    runtime: Runtime, *, model_directory: Path, campaign_name: str | None, altered: bool, models: Path | None, as_json: bool
) -> None:
    """Evaluate a trained model on its own test side, or on a campaign, beside frozen CLIP, trivial probes and chance."""
    campaign = find_campaign(runtime.database, campaign_name) if campaign_name is not None else None
    if not (model_directory / "config.json").is_file():
        raise BadModelFolder(f"{model_directory} holds no config.json: name the folder of a trained model, such as OUT/80-20")

    from trainer.evaluate.metrics_table import evaluation_text
    from trainer.evaluate.saved import evaluate_on_campaign, evaluate_saved
    from trainer.model_folder import load_model
    from trainer.model_sources import best_device
    from trainer.spaces.saved_spaces import open_saved_spaces

    model = load_model(model_directory)
    embedder = open_saved_spaces(model.config.embedded_in, models or runtime.settings.models, best_device())
    if campaign is None:
        evaluation = evaluate_saved(runtime.database, runtime.store, model, embedder, altered=altered)
    else:
        evaluation = evaluate_on_campaign(runtime.database, runtime.store, model, embedder, campaign, altered=altered)
    if as_json:
        click.echo(json.dumps({"model": str(model_directory), "campaign": campaign_name, **evaluation.model_dump(mode="json")}))
        return
    click.echo(evaluation_text(evaluation))
    if evaluation.left_out:
        click.echo(f"{evaluation.left_out} triplets left out: their images cannot be read", err=True)
