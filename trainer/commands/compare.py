"""`paragone compare`: how similar two images are, with a caption of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trainer.commands.options import models_option

if TYPE_CHECKING:
    from db.runtime import Runtime
    from trainer.model_folder import TrainedModel

_image = click.Path(dir_okay=False, path_type=Path)
_folder = click.Path(file_okay=False, path_type=Path)


@click.command("compare", short_help="Compare two images.")
@click.argument("one", metavar="IMAGE", type=_image)
@click.argument("other", metavar="IMAGE", type=_image)
@click.option("--model", "model_directory", type=_folder, help="A trained model. [default: the latest]")
@models_option("CLIP and captioner")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
def compare(runtime: Runtime, *, one: Path, other: Path, model_directory: Path | None, models: Path | None, as_json: bool) -> None:
    """Compare two images by the trained head, beside frozen CLIP."""
    from trainer.evaluate.compare import compare_images, open_image
    from trainer.model_sources import best_device, saved_captioner, saved_clip
    from workers.backends.blip2 import Blip2Captioner
    from workers.backends.clip import ClipEmbedder

    images = (open_image(one), open_image(other))
    model = _model(runtime, model_directory)
    local, device = models or runtime.settings.models, best_device()
    captioner = saved_captioner(model.config.captioner, local)
    comparison = compare_images(
        model,
        images,
        embedder=ClipEmbedder(model=saved_clip(model.config.clip, local), device=device),
        captioner=None if captioner is None else Blip2Captioner(model=captioner, device=device),
    )
    if as_json:
        click.echo(json.dumps(comparison.as_json()))
        return
    click.echo(f"cosine       {comparison.cosine:.4f}  (trained head)")
    click.echo(f"             {comparison.clip_cosine:.4f}  (frozen CLIP)")
    for path, caption in zip((one, other), comparison.captions, strict=True):
        click.echo(f"{path.name}: {caption or 'no captioner'}")


def _model(runtime: Runtime, directory: Path | None) -> TrainedModel:
    """The named model, or that of the latest finished run whose folder is on this machine."""
    from db.training.records import finished_runs
    from trainer.errors import NoTrainedModel
    from trainer.model_folder import CONFIG, load_model

    if directory is not None:
        return load_model(directory)
    for run in finished_runs(runtime.database):
        if (Path(run.directory) / CONFIG).exists():
            return load_model(Path(run.directory))
    raise NoTrainedModel
