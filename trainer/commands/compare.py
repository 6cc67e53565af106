"""`paragone compare`: how similar two images are, with a caption of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trainer.commands.options import models_option

if TYPE_CHECKING:
    from db.runtime import Runtime

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
    from trainer.calibration.words import NO_CALIBRATION
    from trainer.chosen_model import chosen_model
    from trainer.siamese_model import SiameseModel
    from trainer.spaces.saved_spaces import space_slices
    from trainer.spaces.space_slice import frozen_slice

    model = SiameseModel(chosen_model(runtime, model_directory), models=models or runtime.settings.models)
    comparison = model.compare(one, other, captions=True)
    if as_json:
        click.echo(json.dumps(comparison.as_json()))
        return
    click.echo(f"cosine       {comparison.cosine:.4f}  (trained head)")
    frozen = frozen_slice(space_slices(model.config.embedded_in))
    click.echo(f"             {comparison.clip_cosine:.4f}  (frozen {'CLIP' if frozen.is_clip else frozen.name})")
    if comparison.probability is None or comparison.interval is None:
        click.echo(f"no probability: {NO_CALIBRATION}")
    else:
        low, high = comparison.interval
        click.echo(f"probability  {comparison.probability:.3f}   (95 %: {low:.3f} to {high:.3f}, if one pair in two is)")
        click.echo(f"             {comparison.words}")
    for path, caption in zip((one, other), comparison.captions, strict=True):
        click.echo(f"{path.name}: {caption or 'no captioner'}")
